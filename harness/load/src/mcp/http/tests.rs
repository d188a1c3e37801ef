use super::*;
use proptest::prelude::*;

/// What a reader says to a stream that comes in pieces, with the end of the connection where `ends`.
fn read(stream: &[u8], piece: usize, ends: bool) -> Result<Vec<String>, HttpError> {
    let mut said: Vec<String> = Vec::new();
    let mut reader = ResponseReader::default();
    let mut data = Vec::new();
    let mut each = |part: Part<'_>| {
        match part {
            Part::Head(head) => said.push(format!("{} {}", head.status, head.keeps_alive)),
            Part::Data(bytes) => data.extend_from_slice(bytes),
            Part::End => said.push(String::from_utf8_lossy(&std::mem::take(&mut data)).into_owned()),
        }
        Ok(())
    };
    for part in stream.chunks(piece.max(1)) {
        reader.feed(part, &mut each)?;
    }
    if ends {
        reader.close(&mut each)?;
    }
    Ok(said)
}

const LENGTH: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKS: &[u8] =
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: a\r\n\r\n";
const NOTHING: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const CLOSES: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";

#[test]
fn every_kind_of_body_ends_where_it_should() {
    let stream =
        [b"HTTP/1.1 100 Continue\r\n\r\n", LENGTH, CHUNKS, NOTHING, b"HTTP/1.1 204 No\r\n\r\n", CLOSES]
            .concat();
    for piece in [1, 2, 7, 10_000] {
        let said = read(&stream, piece, true).unwrap();
        assert_eq!(
            said,
            [
                "200 true",
                "hello",
                "200 true",
                "hello!",
                "202 true",
                "",
                "204 true",
                "",
                "200 false",
                "until the end"
            ]
        );
    }
}

#[test]
fn what_is_no_answer_is_refused() {
    let said = |stream: &[u8]| read(stream, 10_000, true).unwrap_err().0;
    assert!(said(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").contains("SSH-2.0-OpenSSH_9.6"));
    assert!(said(b"HTTP/1.1 99 no\r\n\r\n").contains("first line"));
    assert!(said(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n").contains("content length"));
    assert!(said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n").contains("gzip"));
    assert!(
        said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
            .contains("not a size of a chunk")
    );
    assert!(said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello").contains("not a size"));
    assert!(
        said(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n")
            .contains("longer than it says")
    );
    assert!(said(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").contains("in the middle"));
    assert!(said(&[&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'a'; 70_000]].concat()).contains("longer than"));
}

/// A body in any of the three forms, and how it reads.
fn response() -> impl Strategy<Value = (Vec<u8>, String)> {
    ("[a-z\r\n]{0,60}", prop::collection::vec(1usize..9, 0..9), any::<bool>()).prop_map(
        |(body, cuts, chunked)| {
            if !chunked {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                return ([head.as_bytes(), body.as_bytes()].concat(), body);
            }
            let mut stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            let mut rest = body.as_bytes();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (chunk, after) = rest.split_at(cut.min(rest.len()));
                if !chunk.is_empty() {
                    stream.extend(format!("{:X}\r\n", chunk.len()).bytes());
                    stream.extend([chunk, b"\r\n"].concat());
                }
                rest = after;
            }
            stream.extend(b"0\r\n\r\n");
            (stream, body)
        },
    )
}

proptest! {
    #[test]
    fn any_sequence_in_any_pieces_reads_the_same(
        responses in prop::collection::vec(response(), 1..5), piece in 1usize..40,
    ) {
        let stream: Vec<u8> = responses.iter().flat_map(|(stream, _)| stream.clone()).collect();
        let due: Vec<String> =
            responses.iter().flat_map(|(_, body)| ["200 true".to_owned(), body.clone()]).collect();
        prop_assert_eq!(read(&stream, piece, true).unwrap(), due);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(stream in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..40) {
        let _ = read(&stream, piece, true);
        let _ = read(&[LENGTH, &stream].concat(), piece, false);
        let _ = read(&[&CHUNKS[..60], &stream].concat(), piece, true);
    }
}
