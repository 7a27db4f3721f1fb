//! One conversation with one server: over TCP, so that whoever answers first answers all of it.

use super::reply::{self, Reply};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zone_model::{Name, RecordType};

/// How long a server may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the whole may take. A server that is slow is asked again in the next round.
const CONVERSATION_TIMEOUT: Duration = Duration::from_secs(5);
/// Questions that are sent before their answers are read.
const QUESTIONS_AT_ONCE: usize = 16;

/// Asks all of it. An answer that cannot be read is none, and so is everything after the server fell silent.
pub(super) async fn ask(server: SocketAddr, questions: &[(Name, RecordType)]) -> Vec<Option<Reply>> {
    let mut replies: Vec<Option<Reply>> = Vec::new();
    let talk = async {
        let mut stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await.ok()?.ok()?;
        stream.set_nodelay(true).ok()?;
        let numbered: Vec<(u16, &(Name, RecordType))> = (1..).zip(questions).collect();
        for some in numbered.chunks(QUESTIONS_AT_ONCE) {
            let mut sent = Vec::new();
            for (id, (name, rtype)) in some {
                let message = reply::question(*id, name, *rtype);
                sent.extend_from_slice(&u16::try_from(message.len()).ok()?.to_be_bytes());
                sent.extend_from_slice(&message);
            }
            stream.write_all(&sent).await.ok()?;
            for (id, _) in some {
                let mut message = vec![0; usize::from(stream.read_u16().await.ok()?)];
                stream.read_exact(&mut message).await.ok()?;
                replies.push(reply::read(&message, *id));
            }
        }
        Some(())
    };
    // In whichever way it ended, what was answered counts.
    let _ended = timeout(CONVERSATION_TIMEOUT, talk).await;
    replies.resize_with(questions.len(), || None);
    replies
}
