//! The description of the API, for programs that make clients of it.

/// OpenAPI 3.1, with the version of this program.
pub(super) fn text() -> String {
    include_str!("openapi.json").replace("{version}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::ask::MOST_BODY;
    use super::super::predict::{MOST_PIXELS, MOST_ROWS};
    use super::super::routes::Route;

    fn description() -> Value {
        serde_json::from_str(&super::text()).unwrap()
    }

    #[test]
    fn it_describes_the_routes_and_no_others() {
        let description = description();
        let paths = description["paths"].as_object().unwrap();
        let mut expected: Vec<_> = Route::ALL.map(|(path, _)| path.to_owned()).into();
        expected.sort();
        assert_eq!(paths.keys().cloned().collect::<Vec<_>>(), expected);
        for (path, route) in Route::ALL {
            let described: Vec<_> = paths[path].as_object().unwrap().keys().cloned().collect();
            let method = |name: &&str| !matches!(*name, "HEAD" | "OPTIONS");
            let allowed: Vec<_> =
                route.allow().split(", ").filter(method).map(str::to_lowercase).collect();
            assert_eq!(described, allowed, "{path}");
        }
    }

    #[test]
    fn it_has_the_limits() {
        let text = super::text();
        for limit in [MOST_BODY, MOST_ROWS, MOST_PIXELS] {
            assert!(text.contains(&format!(" {limit} ")), "{limit}");
        }
        assert_eq!(description()["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    /// Each `$ref` leads somewhere.
    #[test]
    fn its_references_are_there() {
        fn check(value: &Value, whole: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(path)) = object.get("$ref") {
                        let pointer = path.strip_prefix('#').unwrap();
                        assert!(whole.pointer(pointer).is_some(), "{path}");
                    }
                    object.values().for_each(|value| check(value, whole));
                }
                Value::Array(values) => values.iter().for_each(|value| check(value, whole)),
                _ => {}
            }
        }
        let description = description();
        check(&description, &description);
    }
}
