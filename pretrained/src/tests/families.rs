//! Logits agree with those of `transformers`, for a small random model of every family
//! (`tests/families/make.py`).

use crate::{Model, Piece};
use std::path::Path;

fn floats(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect()
}

#[test]
fn logits_agree_with_transformers_to_1e_4() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families");
    let ids = std::fs::read(folder.join("ids.u32")).unwrap();
    let ids: Vec<u32> = ids
        .as_chunks()
        .0
        .iter()
        .map(|b| u32::from_le_bytes(*b))
        .collect();
    let mut families = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        families += 1;
        let model = Model::load(&path).unwrap();
        let hidden = model.hidden(&mut model.state(1), &[Piece { lane: 0, ids: &ids }]);
        let mut logits = vec![0.0; ids.len() * model.spec().vocabulary];
        model.logits(&hidden, &mut logits);
        let expected = floats(&path.join("logits.f32"));
        assert_eq!(logits.len(), expected.len(), "{path:?}");
        let difference = logits.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let largest = difference.fold(0.0, f32::max);
        println!("{}: {largest:e}", path.display());
        assert!(largest < 1e-4, "{path:?}: {largest}");
    }
    assert_eq!(families, 12);
}

#[test]
fn tokens_of_a_folder_are_characters() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/families/llama");
    let model = Model::load(&folder).unwrap();
    let items = model.tokenizer().encode(b"a b!", model.vocabulary());
    let bytes: Vec<u8> = items.iter().fold(Vec::new(), |mut out, item| {
        item.append_to(&mut out, model.vocabulary());
        out
    });
    assert_eq!((items.len(), &bytes[..]), (4, &b"a b!"[..]));
    assert_eq!(items[3], crate::Item::Byte(b'!'));
}
