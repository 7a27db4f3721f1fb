//! Lists, a page at a time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// Give this as `after` to go on; null at the end.
    next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` items, from a look-up of one more. `place` says where to go on after an item.
    pub(crate) fn new<F>(mut found: Vec<F>, limit: i64, place: impl Fn(&F) -> String, view: impl Fn(F) -> T) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let goes_on = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| goes_on).map(place);
        Self { items: found.into_iter().map(view).collect(), next }
    }
}

/// A place in a list that has more than one part, as text that needs no escapes.
pub(crate) fn place_to_text(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Reads it back.
pub(crate) fn place_from_text<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_to_go_on_only_if_there_is_more() {
        let page = |found: Vec<i32>| Page::new(found, 2, ToString::to_string, |item| item);
        assert_eq!((page(vec![1, 2]).next, page(vec![]).next), (None, None));
        let first = page(vec![1, 2, 3]);
        assert_eq!((first.items, first.next.as_deref()), (vec![1, 2], Some("2")));
    }

    #[test]
    fn a_place_is_read_back() {
        let place = (7_i64, "a.b\\.c".to_owned(), 1);
        assert_eq!(place_from_text(&place_to_text(&place)), Some(place));
        assert_eq!(place_from_text::<(i64, String)>("%"), None);
    }
}
