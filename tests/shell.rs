//! Completions and the manual page.

use crate::util::Dir;

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Dir::new().run(&["completions", shell]).status(0).stdout();
        for word in ["sweep", "decompress", "salvage"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    Dir::new().run(&["completions", "cmd.exe"]).status(2);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let dir = Dir::new();
    let page = dir.run(&["man"]).status(0).stdout();
    assert!(page.contains(".TH brevity 1") && page.contains("contamination"));
    dir.run(&["man", "-o", "man/man1"]).status(0);
    let page = std::fs::read_to_string(dir.path("man/man1/brevity-compress.1"));
    assert!(page.expect("a page").contains("\\-\\-train"));
    dir.file("taken", "");
    dir.run(&["man", "-o", "taken"]).status(1).says("taken");
}
