//! The trace: what Perfetto asks of it, and the model's own figures.

use crate::sample::{Size, USUAL, profile};
use glassnet::profile::model::Profile;
use glassnet::report::profile::trace::{MOST_STEPS, write_trace};
use serde_json::Value;
use std::collections::BTreeMap;

/// The events of the trace.
fn written(profile: &Profile) -> (Vec<Value>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.json");
    write_trace(&path, profile).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut trace: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(events) = trace["traceEvents"].take() else { panic!("no list of events") };
    (events, text.len())
}

/// Microseconds as whole nanoseconds.
fn ns(value: &Value) -> i64 {
    (value.as_f64().unwrap() * 1e3).round() as i64
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["ph"] == kind)
}

#[test]
fn every_event_has_its_fields_and_they_come_in_the_order_of_time() {
    let (events, _) = written(&profile(USUAL));
    let mut last = 0;
    for event in &events {
        assert!(event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
        match event["ph"].as_str().unwrap() {
            "M" => assert!(event["args"]["name"].is_string() || event["args"]["sort_index"].is_u64(), "{event}"),
            kind => {
                let ts = ns(&event["ts"]);
                assert!(ts >= last, "{event}");
                last = ts;
                match kind {
                    "X" => assert!(ns(&event["dur"]) >= 0 && event["args"].is_object(), "{event}"),
                    "s" => assert!(event["id"].is_u64(), "{event}"),
                    "f" => assert!(event["id"].is_u64() && event["bp"] == "e", "{event}"),
                    _ => panic!("{event}"),
                }
            }
        }
    }
}

#[test]
fn slices_of_a_track_nest_or_follow_each_other() {
    for size in [USUAL, Size { threads: 1, ..USUAL }, Size { threads: 64, steps: 2, depth: 20 }] {
        let (events, _) = written(&profile(size));
        let mut open: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
        for event in of_kind(&events, "X") {
            let (start, end) = (ns(&event["ts"]), ns(&event["ts"]) + ns(&event["dur"]));
            let ends = open.entry(event["tid"].as_u64().unwrap()).or_default();
            ends.retain(|end| *end > start);
            assert!(ends.iter().all(|outer| end <= *outer), "{event}");
            // Only a step holds others: its phases.
            assert!(ends.len() <= usize::from(event["cat"] == "phase"), "{event}");
            ends.push(end);
        }
    }
}

#[test]
fn the_times_of_work_add_up_to_those_of_the_model() {
    let profile = profile(USUAL);
    let (events, _) = written(&profile);
    for (index, pass) in profile.passes.iter().enumerate() {
        let mut of_model: BTreeMap<(usize, &str, &str), f64> = BTreeMap::new();
        for span in pass.timeline.iter().flat_map(|step| &step.spans) {
            let row = &pass.rows[span.row];
            *of_model.entry((span.thread, &row.what, &row.how)).or_default() += span.end_us - span.start_us;
        }
        let mut of_trace: BTreeMap<(usize, &str, &str), f64> = BTreeMap::new();
        let of_pass = of_kind(&events, "X").filter(|event| event["pid"] == index + 1 && event["cat"] != "phase");
        for event in of_pass.filter(|event| event["args"]["step"].is_null()) {
            let thread = event["tid"].as_u64().unwrap() as usize - (index + 1) * 10_000 - 1;
            let how = event["args"]["algorithm"].as_str().unwrap_or("");
            let key = (thread, event["name"].as_str().unwrap(), how);
            *of_trace.entry(key).or_default() += event["dur"].as_f64().unwrap();
        }
        assert_eq!(of_model.keys().collect::<Vec<_>>(), of_trace.keys().collect::<Vec<_>>());
        for (key, us) in of_model {
            // Half a nanosecond at either end of each of some hundred pieces.
            assert!((us - of_trace[&key]).abs() < 0.2, "{key:?}: {us} {}", of_trace[&key]);
        }
        let executed: f64 = of_kind(&events, "X")
            .filter(|event| event["pid"] == index + 1)
            .filter_map(|event| event["args"]["GFLOP"].as_f64())
            .sum();
        let expected = pass.steps as f64 * pass.rows.iter().map(|row| row.executed_gflop).sum::<f64>();
        assert!((executed / expected - 1.0).abs() < 1e-3, "{executed} {expected}");
    }
}

#[test]
fn an_arrow_goes_from_a_phase_to_the_first_piece_of_each_thread_in_it() {
    let profile = profile(USUAL);
    let (events, _) = written(&profile);
    let starts: BTreeMap<u64, &Value> =
        of_kind(&events, "s").map(|event| (event["id"].as_u64().unwrap(), event)).collect();
    assert_eq!(starts.len(), of_kind(&events, "s").count());
    assert_eq!(starts.len(), of_kind(&events, "f").count());
    // A slice in which an end of an arrow lies, with this category.
    let holds = |arrow: &Value, begins: bool| {
        of_kind(&events, "X").any(|slice| {
            let (start, end) = (ns(&slice["ts"]), ns(&slice["ts"]) + ns(&slice["dur"]));
            slice["tid"] == arrow["tid"]
                && (start..=end).contains(&ns(&arrow["ts"]))
                && (slice["cat"] == "phase") == begins
                && (begins || start == ns(&arrow["ts"]))
        })
    };
    for end in of_kind(&events, "f") {
        let start = starts[&end["id"].as_u64().unwrap()];
        assert!(start["ts"].as_f64() <= end["ts"].as_f64() && start["name"] == end["name"], "{start} {end}");
        assert!(holds(start, true) && holds(end, false), "{start} {end}");
    }
}

#[test]
fn names_of_tracks_are_unique_and_hostile_names_stay_text() {
    let mut hostile = profile(USUAL);
    let name = "\"},{\"ph\":\"X\" </script>\n層";
    hostile.passes[0].phases[1].layers = Some(name.into());
    let (events, _) = written(&hostile);
    let named: Vec<(&Value, &Value)> = of_kind(&events, "M")
        .filter(|event| event["name"] == "thread_name")
        .map(|event| (&event["tid"], &event["args"]["name"]))
        .collect();
    assert_eq!(named.len(), 2 * 3);
    let tids: std::collections::BTreeSet<u64> = named.iter().map(|(tid, _)| tid.as_u64().unwrap()).collect();
    assert_eq!(tids.len(), named.len());
    let processes = of_kind(&events, "M").filter(|event| event["name"] == "process_name");
    let processes: Vec<&str> = processes.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(processes, ["training step", "inference"]);
    assert!(of_kind(&events, "X").any(|event| event["args"]["layers"] == name));
}

#[test]
fn a_long_recording_is_cut_to_a_file_that_opens_at_once() {
    let (long, long_bytes) = written(&profile(Size { steps: 40, ..USUAL }));
    let (wide, wide_bytes) = written(&profile(Size { threads: 64, steps: 3, depth: 20 }));
    let steps = |events: &[Value], pid: usize| {
        of_kind(events, "X").filter(|event| event["pid"] == pid && event["args"]["step"].is_u64()).count()
    };
    for pid in [1, 2] {
        assert!((2..=MOST_STEPS).contains(&steps(&long, pid)), "{}", steps(&long, pid));
        assert!(steps(&wide, pid) >= 1);
    }
    assert!(long_bytes < 1_300_000, "{long_bytes}");
    assert!(wide_bytes < 2_600_000, "{wide_bytes}");
}
