//! CBOR to JSON and back. Times are seconds since 1970 in JSON, as in awsJson, and tag 1 in CBOR.

use aws_smithy_cbor::data::Type;
use aws_smithy_cbor::{Decoder, Encoder};
use aws_smithy_types::DateTime;
use serde_json::{Map, Value};

/// Deeper nesting than any request of CloudWatch has.
const MOST_DEPTH: usize = 32;

/// Read one value; `None` when it is malformed.
pub(in super::super) fn decode(bytes: &[u8]) -> Option<Value> {
    read(&mut Decoder::new(bytes), 0)
}

fn read(decoder: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    if depth > MOST_DEPTH {
        return None;
    }
    match decoder.datatype().ok()? {
        Type::Bool => decoder.boolean().ok().map(Value::from),
        Type::Null | Type::Undefined => decoder.skip().ok().map(|()| Value::Null),
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => decoder.long().ok().map(Value::from),
        Type::F16 | Type::F32 | Type::F64 => decoder.double().ok().map(Value::from),
        Type::String | Type::StringIndef => decoder.string().ok().map(Value::from),
        Type::Tag => decoder
            .timestamp()
            .ok()
            .map(|time| Value::from(time.as_secs_f64())),
        Type::Array | Type::ArrayIndef => {
            let length = decoder.list().ok()?;
            let mut items = Vec::new();
            while !finished(decoder, length, items.len())? {
                items.push(read(decoder, depth + 1)?);
            }
            Some(Value::Array(items))
        }
        Type::Map | Type::MapIndef => {
            let length = decoder.map().ok()?;
            let (mut members, mut count) = (Map::new(), 0);
            while !finished(decoder, length, count)? {
                let name = decoder.string().ok()?;
                members.insert(name, read(decoder, depth + 1)?);
                count += 1;
            }
            Some(Value::Object(members))
        }
        _ => None,
    }
}

/// Whether a list or map is at its end: by count, or by the break that ends an indefinite one.
fn finished(decoder: &mut Decoder<'_>, length: Option<u64>, count: usize) -> Option<bool> {
    match length {
        Some(length) => Some(count as u64 >= length),
        None if decoder.datatype().ok()? == Type::Break => decoder.skip().ok().map(|()| true),
        None => Some(false),
    }
}

/// Write one value. The members of a list called `Timestamps` become times.
pub(in super::super) fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder, value, false);
    encoder.into_writer()
}

fn write(encoder: &mut Encoder, value: &Value, times: bool) {
    match value {
        Value::Null => {
            encoder.null();
        }
        Value::Bool(flag) => {
            encoder.boolean(*flag);
        }
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            match number.as_i64() {
                _ if times => encoder.timestamp(&DateTime::from_secs_f64(float)),
                Some(whole) => encoder.long(whole),
                None => encoder.double(float),
            };
        }
        Value::String(text) => {
            encoder.str(text);
        }
        Value::Array(items) => {
            encoder.array(items.len());
            for item in items {
                write(encoder, item, times);
            }
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                write(encoder, member, name == "Timestamps");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({"Id": "m", "Values": [1.5, 2.25], "Timestamps": [1_795_444_036.0], "n": -7, "ok": true, "none": null});
        assert_eq!(decode(&encode(&value)), Some(value));
    }

    #[test]
    fn garbage_is_not_a_value() {
        for bytes in [&b""[..], b"\xff", b"\x82\x01", b"\xbf\x61a"] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
