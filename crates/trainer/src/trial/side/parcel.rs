//! A message from one rank to another: a few words, as JSON, and bytes as they are.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes of the length of the words.
const LENGTH: usize = size_of::<u64>();

/// The bytes of a message. Each of `parts` may be missing.
pub(super) fn pack<T: Serialize>(words: &T, parts: &[Option<Vec<u8>>]) -> Vec<u8> {
    let lengths: Vec<_> = parts.iter().map(|part| part.as_ref().map(Vec::len)).collect();
    let text = serde_json::to_vec(&(words, lengths)).expect("plain data");
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.reserve(text.len() + parts.iter().flatten().map(Vec::len).sum::<usize>());
    bytes.extend(text);
    parts.iter().flatten().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

/// What [`pack`] was given; `None` of other bytes.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<(T, Vec<Option<Vec<u8>>>)> {
    let (length, rest) = bytes.split_at_checked(LENGTH)?;
    let length = u64::from_le_bytes(length.try_into().ok()?).try_into().ok()?;
    let (text, mut rest) = rest.split_at_checked(length)?;
    let (words, lengths): (T, Vec<Option<usize>>) = serde_json::from_slice(text).ok()?;
    let mut part = |length: Option<usize>| match length {
        None => Some(None),
        Some(length) => {
            let (part, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(Some(part.to_vec()))
        }
    };
    let parts = lengths.into_iter().map(&mut part).collect::<Option<_>>()?;
    rest.is_empty().then_some((words, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back() {
        let parts = [Some(vec![1, 2, 3]), None, Some(Vec::new()), Some(vec![255; 1000])];
        for parts in [&parts[..], &parts[..2], &[]] {
            let bytes = pack(&("words", 0.1f64), parts);
            let found = unpack::<(String, f64)>(&bytes).unwrap();
            assert_eq!(found, (("words".to_owned(), 0.1), parts.to_vec()));
            for length in 0..bytes.len() {
                assert!(unpack::<(String, f64)>(&bytes[..length]).is_none(), "{length}");
            }
            assert!(unpack::<(String, f64)>(&[&bytes[..], &[0]].concat()).is_none());
        }
        assert!(unpack::<u8>(&u64::MAX.to_le_bytes()).is_none());
    }
}
