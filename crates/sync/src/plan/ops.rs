//! The operations of a plan, and how they are written down.

use super::varint;

/// What is to happen to one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// It becomes a member, or its values are written for the first time.
    Add,
    /// Its values have changed.
    Update,
    /// It stops being a member.
    Remove,
    /// Nothing is sent; the key is only forgotten, so that it is new when it comes back.
    Forget,
}

impl OpKind {
    fn code(self) -> u8 {
        match self {
            Self::Add => 0,
            Self::Update => 1,
            Self::Remove => 2,
            Self::Forget => 3,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Add,
            1 => Self::Update,
            2 => Self::Remove,
            3 => Self::Forget,
            _ => return None,
        })
    }

    /// As reports and files name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Remove => "remove",
            Self::Forget => "forget",
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    pub kind: OpKind,
    pub key: String,
    /// The fingerprint of the values, which becomes the key's state once this is acknowledged.
    pub print: u64,
    /// The mapped values as a JSON object; empty for audiences and removals.
    pub payload: Vec<u8>,
}

/// Appends an operation to a part of a plan.
pub(super) fn write(out: &mut Vec<u8>, kind: OpKind, key: &str, print: u64, payload: &[u8]) {
    out.push(kind.code());
    varint::write(out, key.len() as u64);
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(&print.to_le_bytes());
    varint::write(out, payload.len() as u64);
    out.extend_from_slice(payload);
}

/// Reads the operations of a part; `None` when the bytes are damaged.
pub(super) fn read_all(bytes: &[u8]) -> Option<Vec<Op>> {
    let mut ops = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let kind = OpKind::from_code(bytes[at])?;
        at += 1;
        let key = std::str::from_utf8(text(bytes, &mut at)?).ok()?.to_owned();
        let print = u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?);
        at += 8;
        let payload = text(bytes, &mut at)?.to_vec();
        ops.push(Op {
            kind,
            key,
            print,
            payload,
        });
    }
    Some(ops)
}

/// Operations as a batch is written down: without their values.
pub fn pack<'a>(ops: impl Iterator<Item = &'a Op>) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    for op in ops {
        write(&mut raw, op.kind, &op.key, op.print, &[]);
    }
    zstd::bulk::compress(&raw, 1)
}

/// The operations of a batch that was written down; `None` when the bytes are damaged.
pub fn unpack(bytes: &[u8]) -> Option<Vec<Op>> {
    read_all(&zstd::decode_all(bytes).ok()?)
}

fn text<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::read(bytes, at)?).ok()?;
    let range = *at..at.checked_add(length)?;
    let text = bytes.get(range.clone())?;
    *at = range.end;
    Some(text)
}
