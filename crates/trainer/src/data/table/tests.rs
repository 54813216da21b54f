use super::*;

#[test]
fn long_lists_end() {
    let texts: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(list(&texts[..2]), "0, 1");
    assert_eq!(list(&texts), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more");
}
