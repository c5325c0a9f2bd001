//! The two messages of a put, by hand.
//!
//! Protocol Buffers encoding (<https://protobuf.dev/programming-guides/encoding/>): each field is a
//! varint of `number << 3 | wire type`, then its value. Wire types: 0 a varint, 1 eight bytes, 2 a
//! length and so many bytes, 5 four bytes. Field numbers are those of etcd's `rpc.proto`.

/// `PutRequest.key`, bytes.
const PUT_KEY: u8 = (1 << 3) | 2;
/// `PutRequest.value`, bytes.
const PUT_VALUE: u8 = (2 << 3) | 2;
/// `PutResponse.header`, a message.
const PUT_HEADER: u64 = 1;
/// `ResponseHeader.revision`, a varint.
const HEADER_REVISION: u64 = 3;
/// A gRPC message's prefix: whether it is compressed, then its length.
const PREFIX: usize = 5;

/// A `PutRequest` as a gRPC message: prefix and body.
pub fn put_request(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut message = vec![0; PREFIX];
    for (tag, bytes) in [(PUT_KEY, key), (PUT_VALUE, value)] {
        message.push(tag);
        push_varint(&mut message, bytes.len() as u64);
        message.extend_from_slice(bytes);
    }
    let length = u32::try_from(message.len() - PREFIX).unwrap_or(u32::MAX);
    message[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    message
}

/// The revision that a put made, from a gRPC message with a `PutResponse`. `None` if it is no such
/// message, is compressed, or names no revision.
pub fn put_revision(message: &[u8]) -> Option<u64> {
    let (prefix, body) = message.split_at_checked(PREFIX)?;
    let length = u32::from_be_bytes(prefix[1..].try_into().ok()?);
    if prefix[0] != 0 || body.len() != usize::try_from(length).ok()? {
        return None;
    }
    let Value::Bytes(header) = field(body, PUT_HEADER)? else { return None };
    match field(header, HEADER_REVISION)? {
        Value::Number(revision) if revision > 0 => Some(revision),
        _ => None,
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The first field with that number.
fn field(mut message: &[u8], number: u64) -> Option<Value<'_>> {
    while !message.is_empty() {
        let tag = take_varint(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(take_varint(&mut message)?),
            1 => Value::Bytes(take(&mut message, 8)?),
            2 => {
                let length = take_varint(&mut message)?;
                Value::Bytes(take(&mut message, usize::try_from(length).ok()?)?)
            }
            5 => Value::Bytes(take(&mut message, 4)?),
            _ => return None,
        };
        if tag >> 3 == number {
            return Some(value);
        }
    }
    None
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(message, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn push_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_put_request_has_the_bytes_that_protobuf_demands() {
        assert_eq!(put_request(b"k", b"vw"), b"\0\0\0\0\x07\x0a\x01k\x12\x02vw");
        let long = put_request(b"k", &[7; 192]);
        // 192 needs two bytes as a varint: 0xc0 0x01.
        assert_eq!(long[..11], *b"\0\0\0\0\xc6\x0a\x01k\x12\xc0\x01");
        assert_eq!(long.len(), 5 + 198);
    }

    #[test]
    fn the_revision_is_found_among_the_header_s_fields() {
        // header { cluster_id: 300, member_id: 1, revision: 5, raft_term: 2 }
        let answer = b"\0\0\0\0\x0b\x0a\x09\x08\xac\x02\x10\x01\x18\x05\x20\x02";
        assert_eq!(put_revision(answer), Some(5));
    }

    #[test]
    fn what_is_no_answer_to_a_put_names_no_revision() {
        for wrong in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\0",
            b"\x01\0\0\0\x04\x0a\x02\x18\x05",
            b"\0\0\0\0\x05\x0a\x02\x18\x05",
            b"\0\0\0\0\x04\x0a\x02\x18\0",
            b"\0\0\0\0\x04\x0a\x03\x18\x05",
            b"\0\0\0\0\x0c\x0a\x0a\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(put_revision(wrong), None, "{wrong:?}");
        }
    }
}
