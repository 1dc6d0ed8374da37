#![no_main]

use brevity_pretrained::gguf::Gguf;

// Headers never cause a panic, and the tensors of an accepted file lie inside
// it.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::parse(bytes) else { return };
    for name in gguf.tensor_names() {
        let tensor = gguf.tensor(name).expect("a tensor by its name");
        assert!(bytes.get(tensor.bytes.clone()).is_some());
    }
});
