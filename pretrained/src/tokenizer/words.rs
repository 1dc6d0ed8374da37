//! Cutting a text into words, within which byte-level tokenizers merge.

use regex::Regex;

/// A pattern whose matches, one after the other, are the words of a text.
///
/// Patterns of tokenizers end in `\s+(?!\S)`: spaces, but not the last before a
/// word. The `regex` crate has no look-ahead, so that part is `(\s+)` here, and what
/// it matches gives its last character back if another follows.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Digits are cut out one by one first.
    single_digits: bool,
    regex: Regex,
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|(\s+)";

impl Pattern {
    /// From a pattern in the syntax of tokenizers; `None` if it is not understood.
    pub fn new(pattern: &str, single_digits: bool) -> Option<Pattern> {
        let ours = pattern
            .replace(r"\s+(?!\S)|\s+", r"(\s+)")
            .replace(r"\s+(?!\S)", r"(\s+)");
        let regex = Regex::new(&ours).ok()?;
        Some(Pattern {
            single_digits,
            regex,
        })
    }

    /// That of GPT-2 and GPT-NeoX.
    pub fn gpt2(single_digits: bool) -> Pattern {
        Pattern::new(GPT2, single_digits).expect("a valid pattern")
    }

    /// By the name that GGUF files give it (`tokenizer.ggml.pre`); GPT-2's for names
    /// that we do not know, since every cut is lossless.
    pub fn named(name: &str) -> Pattern {
        let digits = match name {
            "llama-bpe" | "llama3" | "llama-v3" | "smaug-bpe" | "dbrx" | "falcon3" => r"\p{N}{1,3}",
            "qwen2" | "megrez" | "stablelm2" | "hunyuan" => r"\p{N}",
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" => {
                return Pattern::gpt2(true);
            }
            _ => return Pattern::gpt2(false),
        };
        let pattern = format!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|(\s+)"
        );
        Pattern::new(&pattern, false).expect("a valid pattern")
    }

    /// Calls `word` with each word in order; together they are the text.
    pub fn words<'a>(&self, text: &'a str, word: &mut impl FnMut(&'a str)) {
        if !self.single_digits {
            return self.cut(text, word);
        }
        let mut start = 0;
        for (at, c) in text.char_indices() {
            if c.is_numeric() {
                self.cut(&text[start..at], word);
                start = at + c.len_utf8();
                word(&text[at..start]);
            }
        }
        self.cut(&text[start..], word);
    }

    fn cut<'a>(&self, text: &'a str, word: &mut impl FnMut(&'a str)) {
        let mut places = self.regex.capture_locations();
        let mut done = 0;
        while done < text.len() {
            let Some(found) = self.regex.captures_read_at(&mut places, text, done) else {
                break;
            };
            let mut end = found.end();
            let spaces = places.get(1).is_some();
            if spaces && end < text.len() {
                let last = found.as_str().chars().next_back().map_or(0, char::len_utf8);
                if found.len() > last {
                    end -= last;
                }
            }
            if found.start() > done {
                word(&text[done..found.start()]);
            }
            if end == found.start() {
                // A pattern that matches nothing makes no words.
                done = found.start();
                break;
            }
            word(&text[found.start()..end]);
            done = end;
        }
        if done < text.len() {
            word(&text[done..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pattern: &Pattern, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        pattern.words(text, &mut |w| out.push(w.to_owned()));
        assert_eq!(out.concat(), text);
        out
    }

    #[test]
    fn gpt2_words() {
        let p = Pattern::gpt2(false);
        assert_eq!(
            words(&p, "I'll say  it: 12 x\n\n y "),
            [
                "I", "'ll", " say", " ", " it", ":", " 12", " x", "\n\n", " y", " "
            ]
        );
    }

    #[test]
    fn single_digits_stand_alone() {
        let p = Pattern::named("smollm");
        assert_eq!(
            words(&p, "in 1912,  a"),
            ["in", " ", "1", "9", "1", "2", ",", " ", " a"]
        );
    }

    #[test]
    fn llama3_words() {
        let p = Pattern::named("llama-bpe");
        assert_eq!(
            words(&p, "(Don'T 12345!\n\n  x"),
            ["(Don", "'T", " ", "123", "45", "!\n\n", " ", " x"]
        );
    }

    #[test]
    fn patterns_that_match_nothing_end() {
        let p = Pattern::new("x*", false).unwrap();
        assert_eq!(words(&p, "abc"), ["abc"]);
        assert!(Pattern::new("(?<=a)b", false).is_none());
    }
}
