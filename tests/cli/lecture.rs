//! `glassnet lecture`, spoken to by raw sockets, as hostile pages and programs of this machine can: they are
//! refused, nothing brings it down, and its own page is answered as before.

use super::Here;
use super::running::Running;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// No answer takes longer by far.
const PATIENCE: Duration = Duration::from_secs(30);

/// The header in which our page shows the token.
const TOKEN: &str = "X-Glassnet-Token";

/// A lecture at work.
struct Lecture {
    running: Running,
    port: u16,
    token: String,
    /// Keeps the pipe open, into which nothing more is written.
    _stdout: BufReader<ChildStdout>,
}

/// What a request was answered.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Lecture {
    fn start(here: &Here, arguments: &str) -> Lecture {
        let mut command = here.process();
        let arguments = format!("lecture {arguments}");
        let mut child =
            command.args(arguments.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut link = String::new();
        stdout.read_line(&mut link).unwrap();
        let rest = link.trim().strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("no link: {link}"));
        let (port, token) = rest.split_once("/?token=").unwrap();
        assert_eq!(token.len(), 32);
        Lecture { port: port.parse().unwrap(), token: token.into(), running: Running::child(child), _stdout: stdout }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request as it is, and reads to the end of the connection.
    fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A request that is refused early may not be read to its end.
        let _ = stream.write_all(request);
        Answer::read(stream)
    }

    /// The head of a request by these headers, and with those that our page sets unless they are given.
    fn head(&self, line: &str, headers: &[(&str, &str)]) -> String {
        let host = format!("127.0.0.1:{}", self.port);
        let origin = format!("http://{host}");
        let ours = [("Host", host.as_str()), ("Origin", &origin), (TOKEN, &self.token), ("Connection", "close")];
        let given = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let all = ours.iter().filter(|(name, _)| !given(name)).chain(headers).filter(|(_, value)| !value.is_empty());
        let lines: String = all.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{line} HTTP/1.1\r\n{lines}\r\n")
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.raw(self.head(&format!("GET {path}"), headers).as_bytes())
    }

    fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let length = body.len().to_string();
        let ours = [("Content-Type", "application/json"), ("Content-Length", length.as_str())];
        let given = |name: &str| headers.iter().any(|(other, _)| *other == name);
        let headers: Vec<_> =
            ours.into_iter().filter(|(name, _)| !given(name)).chain(headers.iter().copied()).collect();
        self.raw(format!("{}{body}", self.head(&format!("POST {path}"), &headers)).as_bytes())
    }

    /// What our page is told of the state; a request that is let in.
    #[track_caller]
    fn state(&self) -> Value {
        self.get("/state", &[]).json()
    }

    #[track_caller]
    fn done(&self, path: &str, body: Value) -> Value {
        self.post(path, &body.to_string(), &[]).json()
    }
}

impl Answer {
    fn read(mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        // Where our end still had something to send, the system may end the connection by a reset.
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut part) {
            bytes.extend_from_slice(&part[..count]);
        }
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |place| place + 4);
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head, body: bytes[end..].to_vec() }
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}{}", self.head, self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[test]
fn a_reader_goes_forward_and_back_edits_and_saves() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    let page = lecture.get(&format!("/?token={}", lecture.token), &[(TOKEN, ""), ("Origin", "")]);
    assert_eq!(page.status, 200, "{}", page.head);
    for (part, kind) in [("lecture.js", "text/javascript"), ("lecture.css", "text/css")] {
        let link = format!("/{part}?token={}", lecture.token);
        assert!(page.text().contains(&link), "{part}");
        let part = lecture.get(&link, &[(TOKEN, ""), ("Origin", "")]);
        assert!(part.status == 200 && part.head.contains(kind) && !part.body.is_empty(), "{}", part.head);
    }
    assert!(!page.text().contains("<script>") && !page.text().contains("style="), "nothing stands in the page itself");

    let state = lecture.state();
    let (phases, images) = (state["phases"].as_array().unwrap().len(), state["images"].as_array().unwrap().len());
    assert_eq!((phases, images), (2 * 8 + 3, 16));
    assert_eq!(state["position"], json!({ "step": 1, "phase": 0 }));
    assert_eq!(state["losses"], json!([]), "the loss is not known before it is computed");
    for phase in 1..phases {
        assert_eq!(lecture.done("/go", json!({ "by": "phase" }))["position"], json!({ "step": 1, "phase": phase }));
    }
    let first = lecture.state()["losses"][0].as_f64().unwrap();
    let state = lecture.done("/go", json!({ "by": "batch" }));
    assert_eq!(state["position"], json!({ "step": 2, "phase": phases - 1 }));
    let second = state["losses"][1].as_f64().unwrap();
    let there = lecture.done("/go", json!({ "to": { "step": 9, "phase": phases - 1 } }));
    assert_eq!(there["losses"].as_array().unwrap().len(), 9);

    // A bundle: the length of its header, the header, the tensors.
    let bundle = lecture.get("/bundle?image=3&weight=conv2d/kernel%5B0,0,0,0%5D", &[]);
    assert_eq!(bundle.status, 200, "{}{}", bundle.head, bundle.text());
    let length = u32::from_le_bytes(*bundle.body.first_chunk().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bundle.body[4..4 + length]).unwrap();
    assert_eq!((&header["step"], &header["focus"]), (&json!(9), &json!(3)));
    assert_eq!(header["loss"], there["losses"][8]);
    assert_eq!(header["shares"]["conv2d/kernel[0,0,0,0]"].as_array().unwrap().len(), 16);

    let shares = lecture.get("/shares?weight=conv2d/kernel%5B0,0,0,0%5D", &[]).json();
    assert_eq!(shares, header["shares"]["conv2d/kernel[0,0,0,0]"]);

    // A change, its future, and the future without it.
    let at = |step: u64| json!({ "to": { "step": step, "phase": phases - 1 } });
    lecture.done("/go", at(2));
    let edited = lecture.done("/edit", json!({ "learning_rate": 0.5 }));
    assert_eq!(edited["edits"], json!([{ "step": 2, "learning_rate": 0.5 }]));
    let edited = lecture.done("/edit", json!({ "weight": "dense_1/bias[0]", "value": 3.0 }));
    assert_eq!(edited["edits"][1], json!({ "step": 2, "weight": "dense_1/bias[0]", "value": 3.0 }));
    assert_ne!(edited["losses"][1], json!(second));
    let changed = lecture.done("/go", at(9));
    assert_ne!(changed["losses"][8], there["losses"][8]);
    assert_eq!(changed["original"][8], there["losses"][8]);
    lecture.done("/go", at(1));
    let again = lecture.done("/go", at(9));
    assert_eq!((&again["losses"], &again["edits"]), (&there["losses"], &json!([])));
    assert_eq!(again["losses"][0], json!(first));
    lecture.done("/go", at(2));
    lecture.done("/edit", json!({ "learning_rate": 0.5 }));
    assert_eq!(lecture.done("/edit", json!({ "undo": true }))["edits"], json!([]));

    // Playing goes on by itself while somebody is there, and stops when it is told to.
    lecture.done("/play", json!({ "on": true, "by": "batch" }));
    let begun = Instant::now();
    while lecture.state()["position"]["step"].as_u64().unwrap() < 4 {
        assert!(begun.elapsed() < PATIENCE, "it does not play");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(lecture.done("/play", json!({ "on": false }))["playing"], Value::Null);

    let saved = lecture.post("/save", &json!({ "image": 1 }).to_string(), &[]);
    assert!(saved.status == 200 && saved.head.contains("attachment; filename=\"glassnet-step-"), "{}", saved.head);
    assert!(saved.text().contains("<title>glassnet explain</title>"));
}

#[test]
fn what_cannot_be_is_told_in_a_sentence() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    for (path, body, status, told) in [
        ("/go", r#"{"by": "leap"}"#, 400, "unknown variant `leap`"),
        ("/go", r#"{"to": {"step": 1, "phase": 99}}"#, 422, "phase 99: phases count from 0 to 18"),
        ("/go", r#"{"to": {"step": 0, "phase": 0}}"#, 422, "step 0: steps count from 1"),
        ("/go", r#"{"to": {"step": 99999, "phase": 0}}"#, 422, "is the farthest to go to"),
        ("/go", "{}", 422, "give either by or to"),
        ("/go", "[", 400, "it is not what is asked for here"),
        ("/edit", r#"{"weight": "conv2d/kernel[9,0,0,0]", "value": 1}"#, 422, "'conv2d/kernel' is 3×3×3×4"),
        ("/edit", r#"{"learning_rate": -1}"#, 422, "a learning rate at least 0"),
        ("/edit", r#"{"weight": "conv2d/kernel[0,0,0,0]"}"#, 422, "give a weight and its value, or a learning_rate"),
        ("/save", r#"{"path": "/tmp/page.html"}"#, 400, "unknown field `path`"),
        ("/save", r#"{"image": 16}"#, 422, "there are 16 images, counted from 0"),
    ] {
        let answer = lecture.post(path, body, &[]);
        let found = (answer.status, answer.text());
        assert!(found.0 == status && found.1.contains(told), "{path} {body}: {found:?}");
    }
    let missing = lecture.get("/bundle?image=16", &[]);
    assert!(missing.status == 422 && missing.text().contains("there are 16 images"), "{}", missing.text());
    assert_eq!(lecture.get("/../../etc/passwd", &[]).status, 404);
    assert_eq!(lecture.get("/go", &[]).status, 405);
    assert_eq!(lecture.state()["position"], json!({ "step": 1, "phase": 0 }), "nothing of it was done");
}

#[test]
fn requests_of_other_pages_and_programs_are_refused_and_ours_are_answered_after_them() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    let phase = json!({ "by": "phase" }).to_string();
    let [port, other] = [lecture.port, lecture.port.wrapping_add(1)];

    // DNS rebinding: the name of another site leads here, and its requests name it.
    for host in
        [format!("evil.example:{port}"), "127.0.0.1".into(), format!("127.0.0.1:{other}"), format!("[::1]:{port}")]
    {
        assert_eq!(lecture.get("/state", &[("Host", &host)]).status, 421, "{host}");
    }
    assert_eq!(lecture.get("/state", &[("Host", "")]).status, 400);
    let two = format!(
        "GET /state HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n{TOKEN}: {}\r\n\r\n",
        lecture.token
    );
    assert_eq!(lecture.raw(two.as_bytes()).status, 400);
    assert_eq!(lecture.get(&format!("http://evil.example:{port}/state"), &[]).status, 421);
    assert_eq!(lecture.get("/state", &[("Host", &format!("localhost:{port}"))]).status, 200, "through ssh -L");

    // Without the token, or with another.
    let wrong = "0".repeat(32);
    for token in ["", "x", wrong.as_str(), &lecture.token[1..]] {
        for path in ["/", "/state", "/stops", "/bundle?image=0", "/lecture.js", "/nothing"] {
            let answer = lecture.get(path, &[(TOKEN, token)]);
            assert_eq!(answer.status, 403, "{path} with {token}");
            assert!(answer.text().contains("open the link that glassnet printed"), "{}", answer.text());
        }
        assert_eq!(lecture.post("/go", &phase, &[(TOKEN, token)]).status, 403);
    }
    let in_address = lecture.post(&format!("/go?token={}", lecture.token), &phase, &[(TOKEN, "")]);
    assert_eq!(in_address.status, 403, "a form of another page could send it");

    // From another page.
    let foreign =
        [format!("http://127.0.0.1:{other}"), format!("https://127.0.0.1:{port}"), "http://evil.example".into()];
    for origin in foreign.iter().map(String::as_str).chain(["null", ""]) {
        assert_eq!(lecture.post("/go", &phase, &[("Origin", origin)]).status, 403, "{origin}");
    }
    assert_eq!(lecture.get("/state", &[("Origin", "http://evil.example")]).status, 403);
    assert_eq!(lecture.raw(lecture.head("OPTIONS /go", &[("Origin", "http://evil.example")]).as_bytes()).status, 403);
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(lecture.post("/go", &phase, &[("Content-Type", kind)]).status, 415, "{kind}");
    }

    // Too long: by what it says, by what it sends, and by its head.
    let long = format!("{{\"by\": \"{}\"}}", "x".repeat(70_000));
    assert_eq!(lecture.post("/go", &long, &[]).status, 413);
    assert_eq!(lecture.post("/go", "", &[("Content-Length", "99999999999")]).status, 413);
    let chunks = format!("11170\r\n{}\r\n0\r\n\r\n", "x".repeat(70_000));
    let chunked = lecture.head("POST /go", &[("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]);
    assert_eq!(lecture.raw(format!("{chunked}{chunks}").as_bytes()).status, 413);
    let head = lecture.get("/state", &[("X-Long", &"x".repeat(200_000))]);
    assert!(matches!(head.status, 0 | 431), "{}", head.status);

    // No request at all.
    for noise in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = lecture.raw(noise);
        assert!(matches!(answer.status, 0 | 400 | 505), "{}", answer.status);
    }

    // Whatever is answered, it tells the browser to load nothing from elsewhere.
    for answer in [lecture.get("/state", &[]), lecture.get("/state", &[(TOKEN, "")])] {
        let head = answer.head.to_lowercase();
        for header in [
            "content-security-policy: default-src 'self'; img-src 'self' data: blob:;",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{header} is not in {head}");
        }
        assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{head}");
    }
    assert_eq!(lecture.state()["position"], json!({ "step": 1, "phase": 0 }), "nothing of it was done");
    assert_eq!(lecture.done("/go", json!({ "by": "phase" }))["position"], json!({ "step": 1, "phase": 1 }));
}

#[test]
fn a_thousand_connections_that_say_nothing_keep_nobody_out_and_slow_ones_are_cut_off() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    let mut idle = Vec::new();
    for number in 0..1000 {
        // The system may have no more for this process; what is there is enough.
        match TcpStream::connect(("127.0.0.1", lecture.port)) {
            Ok(stream) => idle.push(stream),
            Err(_) if number > 200 => break,
            Err(error) => panic!("{number}: {error}"),
        }
        if number % 250 == 249 {
            assert_eq!(lecture.state()["position"]["step"], 1, "beside {number} others");
        }
    }
    assert_eq!(lecture.done("/go", json!({ "by": "phase" }))["position"]["phase"], 1);
    drop(idle);

    // A head that comes letter by letter, a body that never comes, and nothing at all.
    let begun = Instant::now();
    let head = lecture.head("GET /state", &[]);
    let mut slow = lecture.connect();
    let mut sent = 0;
    while sent < head.len() - 4 && slow.write_all(&head.as_bytes()[sent..=sent]).is_ok() {
        sent += 1;
        assert!(begun.elapsed() < PATIENCE, "it still reads");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(sent < head.len() - 4, "the whole head was read");
    let mut silent = lecture.connect();
    let waiting = Instant::now();
    assert!(!matches!(silent.read(&mut [0; 1]), Ok(1..)), "nothing was asked");
    assert!(waiting.elapsed() < PATIENCE);
    let body = lecture.head("POST /go", &[("Content-Type", "application/json"), ("Content-Length", "50")]);
    let mut half = lecture.connect();
    half.write_all(format!("{body}{{\"by\":").as_bytes()).unwrap();
    assert_eq!(Answer::read(half).status, 408);
    let mut cut = lecture.connect();
    cut.write_all(body.as_bytes()).unwrap();
    cut.shutdown(Shutdown::Write).unwrap();
    assert!(matches!(Answer::read(cut).status, 0 | 413));
    assert_eq!(lecture.done("/go", json!({ "by": "phase" }))["position"]["phase"], 2);
}

#[test]
fn without_data_it_is_the_phantom_set_and_stops_are_checked_before_anything_else() {
    let here = Here::with_set();
    here.write("tiny64.toml", super::TINY.replace("16, 16, 3", "24, 24, 3"));
    here.write("good.toml", "[[stop]]\ntitle = 'Loss'\nsentence = 'p − y'\nstep = 2\nphase = 'loss'\n");
    let lecture = Lecture::start(&here, "--model tiny64.toml --stops good.toml --quiet");
    let stops = lecture.get("/stops", &[]).json();
    assert_eq!((&stops[0]["title"], &stops[0]["position"]), (&json!("Loss"), &json!({ "step": 2, "phase": 9 })));
    assert_eq!(lecture.state()["images"].as_array().unwrap().len(), 16);
    assert_eq!(lecture.state()["steps_per_epoch"], 7);

    here.write(
        "bad.toml",
        "[[stop]]\ntitle = 'a'\nsentence = 'b'\n\n[[stop]]\ntitle = 'c'\nsentence = 'd'\nlayer = 'conv2d_7'\n",
    );
    let told = "bad.toml: it is no list of stops: line 5: the stop 'c' is of the layer conv2d_7, and the network has conv2d, re_lu, \
                max_pooling2d, flatten, dense, re_lu_1, dropout, dense_1";
    here.refused("lecture set --model tiny.toml --stops bad.toml --quiet", 2, told);
    here.refused(
        "lecture set --model tiny.toml --stops none.toml --quiet",
        2,
        "none.toml does not exist; check the path",
    );
    let port = lecture.port;
    let taken = format!("--port {port}: another program has it; leave it out to take one that is free");
    here.refused(&format!("lecture set --model tiny.toml --quiet --port {port}"), 2, &taken);
    let plateau =
        "--schedule: a plateau is told by the validation of whole epochs, which a lecture does not do; take another";
    here.refused("lecture set --model tiny.toml --quiet --schedule plateau", 2, plateau);
}

#[test]
fn a_page_that_is_closed_pauses() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    // A page that waits for changes is there, and plays on, longer than an empty room does.
    lecture.done("/play", json!({ "on": true, "by": "phase" }));
    let begun = Instant::now();
    let mut revision = lecture.state()["revision"].as_u64().unwrap();
    while begun.elapsed() < Duration::from_secs(7) {
        let state = lecture.get(&format!("/state?after={revision}"), &[]).json();
        assert_eq!(state["playing"], "phase", "after {:?}", begun.elapsed());
        revision = state["revision"].as_u64().unwrap();
    }
    std::thread::sleep(Duration::from_secs(7));
    let left = lecture.state();
    assert_eq!(left["playing"], Value::Null);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(lecture.state()["position"], left["position"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it() {
    let here = Here::with_set();
    let lecture = Lecture::start(&here, "set --model tiny.toml --quiet");
    lecture.running.interrupt();
    let ran = lecture.running.ended();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), ""));
}
