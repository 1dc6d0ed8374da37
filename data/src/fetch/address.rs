//! Which addresses a download may go to.
//!
//! A server that is asked for a public file may answer with a redirect to an address
//! inside of the user's network: a router, a service of the cloud. Only the host that
//! was asked for may be there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks hosts up and refuses those with a private address, but the one asked for.
#[derive(Debug)]
pub(super) struct Guarded {
    /// Host and port of the address that was asked for.
    asked: (Option<String>, Option<u16>),
}

impl Guarded {
    /// For a download from this address.
    pub fn new(url: &str) -> Self {
        let uri: Option<Uri> = url.parse().ok();
        Self {
            asked: uri.as_ref().map_or((None, None), place),
        }
    }
}

fn place(uri: &Uri) -> (Option<String>, Option<u16>) {
    let host = uri.host().map(str::to_ascii_lowercase);
    (host, uri.port_u16())
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let proxy = config.proxy().is_some_and(|proxy| proxy.uri() == uri);
        if proxy || place(uri) == self.asked {
            return Ok(found);
        }
        match found.iter().find(|address| is_private(address.ip())) {
            Some(address) => Err(ureq::Error::Other(Box::new(Refused {
                host: uri.host().unwrap_or_default().to_owned(),
                address: address.ip(),
            }))),
            None => Ok(found),
        }
    }
}

/// A redirect into the user's network.
#[derive(Debug, thiserror::Error)]
#[error("refused: the server redirects to {host}, a private address ({address})")]
pub(super) struct Refused {
    host: String,
    address: IpAddr,
}

/// Whether an address is none of the public internet.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private_v4(v4),
            None => is_private_v6(v6),
        },
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.is_broadcast()
        || v4.is_multicast()
        || a == 0
        // Shared by the customers of a provider.
        || (a == 100 && b & 0xc0 == 64)
}

fn is_private_v6(v6: Ipv6Addr) -> bool {
    v6.is_loopback()
        || v6.is_unspecified()
        || v6.is_multicast()
        || v6.is_unique_local()
        || v6.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in [
            "93.184.215.14",
            "100.128.0.1",
            "2606:2800:21f::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }
}
