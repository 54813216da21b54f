//! Floats in JSON that come back with their bits. JSON has no NaN and no infinity: they are
//! strings.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Other(String),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn serialize<S: Serializer>(x: &f64, to: S) -> Result<S::Ok, S::Error> {
    let number = if x.is_finite() { Number::Finite(*x) } else { Number::Other(x.to_string()) };
    number.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match Number::deserialize(from)? {
        Number::Finite(x) => Ok(x),
        Number::Other(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err(serde::de::Error::custom(format!("`{text}` is no number"))),
        },
    }
}

#[cfg(test)]
mod tests {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Wrapped(#[serde(with = "super")] f64);

    #[test]
    fn every_kind_of_number_comes_back() {
        let awkward = [0.1 + 0.2, 1.0 / 3.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 1e23, -0.0];
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for x in awkward.into_iter().chain(special) {
            let text = serde_json::to_string(&Wrapped(x)).unwrap();
            let Wrapped(back) = serde_json::from_str(&text).unwrap();
            assert!(back.to_bits() == x.to_bits() || back.is_nan() && x.is_nan(), "{x}: {text}");
        }
        assert!(serde_json::from_str::<Wrapped>("\"one\"").is_err());
    }
}
