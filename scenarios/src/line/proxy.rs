//! A TCP proxy that carries a line: byte for byte, as the weather lets it.

use std::{collections::VecDeque, io, net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc};

use clock::{Activity, Instant, SharedClock};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

use super::{Line, Means, Weather};

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// Read at once, in bytes.
const PIECE: usize = 16 * 1024;
/// Held back in one direction of a connection, in bytes; beyond it the sender is no longer read.
const HELD_MAX: usize = 8 * 1024 * 1024;

/// Where a proxy leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// `host:port`.
    Tcp(String),
    /// A socket file.
    Unix(PathBuf),
}

impl End {
    /// Reads it: a path, or `host:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_address = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
        match text.rsplit_once(':') {
            _ if text.starts_with('/') => Ok(Self::Unix(text.into())),
            Some(parts) if is_address(parts) => Ok(Self::Tcp(text.to_owned())),
            _ => Err(format!("`{text}` leads nowhere; write `host:port`, or the path of a socket")),
        }
    }
}

/// Both directions of a connection.
trait Wire: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Wire for T {}
type BoxedWire = Pin<Box<dyn Wire>>;

/// A running proxy. Dropping it cuts all that goes through it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

/// What every connection of a proxy knows.
#[derive(Clone, Debug)]
struct Way {
    to: End,
    line: Line,
    clock: SharedClock,
    activity: Activity,
}

impl Proxy {
    /// Listens at `at` and leads to `to`. Times are those of `clock`; traffic is counted in `activity`.
    pub(crate) async fn start(
        at: SocketAddr,
        to: End,
        line: Line,
        (clock, activity): Means,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let way = Way { to, line, clock, activity };
        Ok(Self { address, accepting: tokio::spawn(accept(listener, way)) })
    }

    /// Returns where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, way: Way) {
    let (places, mut open) = (Arc::new(Semaphore::new(CONNECTIONS_MAX)), JoinSet::new());
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let way = way.clone();
        open.spawn(async move {
            // A connection that cannot be carried is closed; both ends see that.
            drop(way.carry(stream).await);
            drop(place);
        });
        while open.try_join_next().is_some() {}
    }
}

impl Way {
    /// Carries one connection until both directions are over, or the line is cut.
    async fn carry(&self, near: TcpStream) -> io::Result<()> {
        self.line.carries();
        let mut weather = self.line.watch();
        if *weather.borrow() == Weather::Cut {
            return Ok(());
        }
        near.set_nodelay(true)?;
        let (near, far) = (Box::pin(self.activity.metered(near)?) as BoxedWire, self.dial().await?);
        let ((near_in, near_out), (far_in, far_out)) = (split(near), split(far));
        let both = async { tokio::try_join!(self.pump(near_in, far_out), self.pump(far_in, near_out)) };
        tokio::select! {
            ended = both => ended.map(drop),
            _ = weather.wait_for(|weather| *weather == Weather::Cut) => Ok(()),
        }
    }

    async fn dial(&self) -> io::Result<BoxedWire> {
        match &self.to {
            End::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::pin(self.activity.metered(stream)?))
            }
            End::Unix(path) => Ok(Box::pin(UnixStream::connect(path).await?)),
        }
    }

    /// Carries one direction.
    async fn pump(&self, mut from: ReadHalf<BoxedWire>, mut to: WriteHalf<BoxedWire>) -> io::Result<()> {
        let mut weather = self.line.watch();
        let mut held = Held::default();
        loop {
            let now = *weather.borrow_and_update();
            tokio::select! {
                biased;
                _ = weather.changed() => {}
                () = held.due(now, &self.clock) => to.write_all(&held.next()).await?,
                piece = read(&mut from), if held.takes() => held.put(piece?, self.clock.now()),
            }
            if held.is_over() {
                return to.shutdown().await;
            }
        }
    }
}

async fn read(from: &mut ReadHalf<BoxedWire>) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE);
    from.read_buf(&mut piece).await?;
    Ok(piece)
}

/// What was read and not yet written, with the time of its reading.
#[derive(Debug, Default)]
struct Held {
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    has_ended: bool,
}

impl Held {
    fn takes(&self) -> bool {
        !self.has_ended && self.bytes < HELD_MAX
    }

    fn put(&mut self, piece: Vec<u8>, at: Instant) {
        self.has_ended = piece.is_empty();
        self.bytes += piece.len();
        self.pieces.extend((!piece.is_empty()).then_some((at, piece)));
    }

    /// Waits until the oldest piece may go on.
    async fn due(&self, weather: Weather, clock: &SharedClock) {
        let Some((read_at, _)) = self.pieces.front() else { return std::future::pending().await };
        match weather {
            Weather::Clear | Weather::Full => {}
            Weather::Cut | Weather::Stalled => std::future::pending().await,
            Weather::Delayed(by) => clock.sleep_until(*read_at + by).await,
        }
    }

    fn next(&mut self) -> Vec<u8> {
        let piece = self.pieces.pop_front().map(|(_, piece)| piece).unwrap_or_default();
        self.bytes -= piece.len();
        piece
    }

    fn is_over(&self) -> bool {
        self.has_ended && self.pieces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use clock::{Clock as _, Lab};

    use super::*;

    /// A server that answers each piece with itself.
    async fn echo(lab: &Lab) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, activity) = (listener.local_addr().unwrap(), lab.activity().clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = split(activity.metered(stream).unwrap());
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        address
    }

    fn with_proxy(test: impl AsyncFnOnce(Lab, Line, SocketAddr)) {
        let (runtime, lab) = Lab::new(jiff::Timestamp::UNIX_EPOCH).unwrap();
        runtime.block_on(async {
            let (line, clock) = (Line::default(), Arc::new(lab.clock().clone()) as SharedClock);
            let to = End::Tcp(echo(&lab).await.to_string());
            let at = (Ipv4Addr::LOCALHOST, 0).into();
            let proxy = Proxy::start(at, to, line.clone(), (clock, lab.activity().clone())).await.unwrap();
            test(lab, line, proxy.address()).await;
        });
    }

    async fn dial(lab: &Lab, address: SocketAddr) -> clock::Metered {
        lab.activity().metered(TcpStream::connect(address).await.unwrap()).unwrap()
    }

    /// Reads what is there by now.
    async fn heard(stream: &mut clock::Metered) -> String {
        let mut bytes = [0; 64];
        let reading = stream.read(&mut bytes);
        tokio::select! {
            biased;
            read = reading => String::from_utf8_lossy(&bytes[..read.unwrap()]).into_owned(),
            () = std::future::ready(()) => "nothing".to_owned(),
        }
    }

    #[test]
    fn all_passes_in_clear_weather_and_nothing_is_lost_by_a_stall_s7() {
        with_proxy(async |lab, line, address| {
            let mut stream = dial(&lab, address).await;
            line.set(Weather::Stalled);
            stream.write_all(b"one").await.unwrap();
            lab.advance(Duration::from_secs(9)).await.unwrap();
            assert_eq!(heard(&mut stream).await, "nothing");

            line.set(Weather::Clear);
            let mut bytes = [0; 3];
            stream.read_exact(&mut bytes).await.unwrap();

            assert_eq!(&bytes, b"one");
        });
    }

    #[test]
    fn a_delay_holds_each_piece_for_its_time_in_each_direction_s7() {
        with_proxy(async |lab, line, address| {
            line.set(Weather::Delayed(Duration::from_secs(1)));
            let mut stream = dial(&lab, address).await;
            stream.write_all(b"one").await.unwrap();

            lab.advance(Duration::from_millis(1999)).await.unwrap();
            assert_eq!(heard(&mut stream).await, "nothing");
            let mut bytes = [0; 3];
            let (passed, read) =
                tokio::join!(lab.advance(Duration::from_millis(1)), stream.read_exact(&mut bytes));

            passed.unwrap();
            read.unwrap();
            assert_eq!(&bytes, b"one");
            assert_eq!(lab.clock().now().since_origin(), Duration::from_secs(2));
        });
    }

    #[test]
    fn a_cut_ends_what_was_connected_and_refuses_what_comes_s7() {
        with_proxy(async |lab, line, address| {
            let mut old = dial(&lab, address).await;
            old.write_all(b"one").await.unwrap();
            old.read_exact(&mut [0; 3]).await.unwrap();

            line.set(Weather::Cut);
            assert_eq!(old.read(&mut [0; 3]).await.unwrap_or(0), 0, "the old one lives on");
            assert_eq!(
                dial(&lab, address).await.read(&mut [0; 3]).await.unwrap_or(0),
                0,
                "a new one is let in"
            );
            line.set(Weather::Clear);

            let mut new = dial(&lab, address).await;
            new.write_all(b"two").await.unwrap();
            new.read_exact(&mut [0; 3]).await.unwrap();
        });
    }

    #[test]
    fn an_end_that_leads_nowhere_is_told() {
        assert_eq!(End::parse("127.0.0.1:5432"), Ok(End::Tcp("127.0.0.1:5432".to_owned())));
        assert_eq!(End::parse("/run/pg/.s.PGSQL.5432"), Ok(End::Unix("/run/pg/.s.PGSQL.5432".into())));
        let error = End::parse("localhost").unwrap_err();
        assert_eq!(error, "`localhost` leads nowhere; write `host:port`, or the path of a socket");
    }
}
