//! What must hold for any GGUF file. `pretrained/tests/seeds.rs` runs this claim on each
//! seed.

use brevity_pretrained::gguf::Gguf;

/// A file: refused, or its tensors lie inside of it.
pub fn gguf(file: &[u8]) {
    let Ok(gguf) = Gguf::parse(file) else { return };
    for name in gguf.tensor_names() {
        let tensor = gguf.tensor(name).expect("a tensor by its name");
        assert!(file.get(tensor.bytes.clone()).is_some());
    }
}
