//! DNS questions over plain sockets, with an end to patience.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::str::FromStr as _;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A question as a resolver asks it, without EDNS.
///
/// # Panics
/// When the name or the type is none.
#[must_use]
pub fn query(name: &str, rtype: &str) -> Message {
    let name = Name::from_ascii(if name.ends_with('.') { name.to_owned() } else { format!("{name}.") });
    let rtype = RecordType::from_str(rtype).expect("a record type");
    let id = u16::try_from(std::process::id() & 0xffff).unwrap_or_default();
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name.expect("a name"), rtype));
    message
}

/// Asks over UDP.
///
/// # Errors
/// When no answer comes, or none that can be read.
pub fn ask_udp(server: SocketAddr, message: &Message) -> io::Result<Message> {
    let anywhere: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(anywhere)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(server)?;
    socket.send(&message.to_vec().map_err(io::Error::other)?)?;
    let mut reply = vec![0; 65_535];
    let length = socket.recv(&mut reply)?;
    Message::from_vec(&reply[..length]).map_err(io::Error::other)
}

/// Asks over TCP.
///
/// # Errors
/// When no answer comes, or none that can be read.
pub fn ask_tcp(server: SocketAddr, message: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let question = message.to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], &question].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply)?;
    Message::from_vec(&reply).map_err(io::Error::other)
}
