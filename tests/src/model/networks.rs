//! Where an address is, bit by bit.

use std::net::IpAddr;

/// Whether an address is in a network (`10.0.0.0/8`), or is the one that is written.
pub(super) fn is_in(network: &str, address: Option<IpAddr>) -> bool {
    let Some(address) = address.map(bits) else { return false };
    let (first, length) =
        network.split_once('/').map_or((network, None), |(first, rest)| (first, Some(rest)));
    let Ok(first) = first.parse::<IpAddr>() else { return false };
    // A network of IPv4 addresses that are written as IPv6 counts the bits before them, too.
    let before = if first.is_ipv6() { 128 - bits(first).len() } else { 0 };
    let first = bits(first);
    let length = match length.map(str::parse::<usize>) {
        None => first.len(),
        Some(Ok(length)) if length >= before => length - before,
        Some(_) => return false,
    };
    address.len() == first.len()
        && length <= first.len()
        && (0..length).all(|place| address[place] == first[place])
}

/// Whether nothing has travelled: `127.0.0.0/8`, and `::1`.
pub(super) fn is_here(address: IpAddr) -> bool {
    is_in("127.0.0.0/8", Some(address)) || is_in("::1", Some(address))
}

/// 32 bits or 128; an IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is what it is.
fn bits(address: IpAddr) -> Vec<bool> {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => match address.octets() {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, a, b, c, d] => vec![a, b, c, d],
            octets => octets.to_vec(),
        },
    };
    bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1)).collect()
}
