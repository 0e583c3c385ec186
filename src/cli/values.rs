//! What values of flags look like, and what is said of others.

/// A setting and its value.
pub(super) fn key_and_value(text: &str) -> Result<(String, String), String> {
    pair(text).ok_or_else(|| "write a key, an equals sign and a value, as in num.partitions=8".to_owned())
}

/// A header's name and value.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    pair(text).ok_or_else(|| "write a header as name=value, as in origin=shop".to_owned())
}

/// An address as a client writes it.
pub(super) fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Ok(text.to_owned())
        }
        Some(_) | None => {
            Err("write the host and port of the broker's native door, as in localhost:9093".to_owned())
        }
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let key = key.trim();
    (!key.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for text in ["localhost:9093", "127.0.0.1:1", "[::1]:65535"] {
            assert_eq!(host_and_port(text).as_deref(), Ok(text));
        }
        for text in ["nonsense", ":9093", "localhost:", "localhost:0", "localhost:65536", "9093", ""] {
            assert!(host_and_port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_pair_is_told_by_an_example_of_its_own() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(header("c").unwrap_err().contains("name=value"));
        assert!(key_and_value("c").unwrap_err().contains("num.partitions=8"));
    }
}
