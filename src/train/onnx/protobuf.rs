//! The little of protobuf that an ONNX model needs: messages, and a node's attributes.

pub(super) fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let mut packed = Vec::new();
    for value in values {
        varint(&mut packed, *value as u64);
    }
    Message::new()
        .text(1, name)
        .bytes(8, &packed)
        .number(20, 7)
        .0
}

pub(super) fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Message::new()
        .text(1, name)
        .bytes(7, &packed)
        .number(20, 6)
        .0
}

pub(super) fn strings(name: &str, values: &[&str]) -> Vec<u8> {
    values
        .iter()
        .fold(Message::new().text(1, name), |message, value| {
            message.text(9, value)
        })
        .number(20, 8)
        .0
}

pub(super) fn int(name: &str, value: u64) -> Vec<u8> {
    Message::new()
        .text(1, name)
        .number(3, value)
        .number(20, 2)
        .0
}

pub(super) fn string(name: &str, value: &str) -> Vec<u8> {
    Message::new().text(1, name).text(4, value).number(20, 3).0
}

/// A protobuf message in the making.
pub(super) struct Message(pub(super) Vec<u8>);

impl Message {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        varint(&mut self.0, field << 3);
        varint(&mut self.0, value);
        self
    }

    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        varint(&mut self.0, field << 3 | 2);
        varint(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}
