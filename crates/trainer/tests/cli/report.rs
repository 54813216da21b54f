//! `report.html`, and `trainer report`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::data::{self, parts, table};
use crate::pictures::write;
use crate::{json, names, run_in, succeed};

/// The largest page.
const MOST_BYTES: usize = 2_000_000;

fn page(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    check(&text);
    text
}

/// Checks what every page promises: it is whole, well-formed and small, nothing in it runs, and
/// nothing is fetched.
fn check(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>\n") && page.ends_with("</html>\n"));
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    well_formed(page.strip_prefix("<!DOCTYPE html>").unwrap());
    for word in ["<script", "http:", "https:", "javascript:", " onclick", "<link", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    for source in page.split("src=\"").skip(1) {
        assert!(source.starts_with("data:image/png;base64,"), "{}", &source[..40]);
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
    for link in page.split("href=\"#").skip(1).filter_map(|s| s.split('"').next()) {
        assert!(ids.contains(&link), "{link}: {ids:?}");
    }
    for image in page.split("<img ").skip(1) {
        assert!(image.split('>').next().unwrap().contains("alt=\""));
    }
}

/// Every element is closed in its turn, and no `<`, `&` or quote is anything else.
fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        check_entities(&rest[..start]);
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").unwrap().1;
            continue;
        }
        // No value of an attribute has a bare `>`.
        let (tag, after) = rest.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
            continue;
        }
        let (tag, is_void) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
        assert!(attributes.matches('"').count().is_multiple_of(2), "{attributes}");
        check_entities(attributes);
        if !is_void {
            open.push(name);
        }
        if name == "style" {
            rest = rest.split_once("</style>").unwrap().1;
            open.pop();
        }
    }
    assert_eq!(open, [""; 0]);
}

fn check_entities(text: &str) {
    for entity in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(known.iter().any(|known| entity.starts_with(known)), "&{}", &entity[..10]);
    }
}

/// The ids of the sections.
fn sections(page: &str) -> Vec<&str> {
    page.split("<section id=\"").skip(1).filter_map(|part| part.split('"').next()).collect()
}

fn percent(share: &serde_json::Value) -> String {
    format!("{:.2} %", 100.0 * share.as_f64().unwrap())
}

#[test]
fn a_run_on_images_leaves_its_report() {
    let dir = data::folder();
    let flags = "--hidden 16 --epochs 2 --lr 0.005 --validation 0.2 --json --out run";
    let summary = json(dir.path(), flags);
    let report = dir.path().join("run/report.html");
    let first = page(&report);
    assert_eq!(
        sections(&first),
        ["run", "curves", "classes", "calibration", "mistakes", "labels", "network", "time"]
    );
    // The figures are those of the summary and of `eval`.
    let found = json(dir.path(), "eval --model run --mistakes 1 --json");
    for figure in [percent(&summary["test_accuracy"]), percent(&found["calibration_error"])] {
        assert!(first.contains(&figure), "{figure}");
    }
    for (class, row) in found["classes"].as_array().unwrap().iter().enumerate() {
        let cells = ["precision", "recall", "f1"].map(|key| percent(&row[key]));
        let cells = cells.map(|cell| format!("<td class=\"n\">{cell}</td>")).concat();
        let row = format!("<th scope=\"row\" class=\"\">{class}</th>{cells}");
        assert!(first.contains(&row), "{row}");
    }
    for (count, row) in found["confusion"].as_array().unwrap().iter().enumerate() {
        let hits = row[count].as_u64().unwrap();
        assert!(hits == 0 || first.contains(&format!(">{hits}</td>")));
    }
    let wrong = &found["mistakes"][0];
    let worst = first.split("id=\"mistakes\"").nth(1).unwrap();
    let said = format!("said <b>{}</b>", wrong["predicted"].as_str().unwrap());
    let sample = format!("sample {}</p>", wrong["sample"]);
    assert!(worst.find(&said).unwrap() < worst.find(&sample).unwrap());
    assert_eq!(worst.find("<p class=\"note\">sample "), worst.find(&sample).map(|at| at - 16));
    for part in ["trainer --config run/config.toml", "training.lr", "Weights of 16 units"] {
        assert!(first.contains(part), "{part}");
    }
    assert!(first.contains(summary["data"]["test"].as_str().unwrap()));

    // Written again, it is the same page.
    fs::remove_file(&report).unwrap();
    for (run, threads) in [("run", 1), ("run/model.safetensors", 3)] {
        let said = succeed(dir.path(), &format!("report {run} --threads {threads}"));
        assert_eq!(said, "run/report.html\n");
        assert!(page(&report) == first);
    }
}

#[test]
fn a_table_has_rows_for_pictures() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("iris.csv"), table("iris.csv")).unwrap();
    let flags = "iris.csv --target target --epochs 1 --json --out run";
    let summary = json(dir.path(), flags);
    let page = page(&dir.path().join("run/report.html"));
    assert!(page.contains(&percent(&summary["test_accuracy"])));
    let mistakes = page.split("id=\"mistakes\"").nth(1).unwrap();
    assert!(summary["test_errors"].as_u64() > Some(0), "{summary}");
    let head = table("iris.csv");
    let column = head.split(',').next().unwrap();
    assert!(mistakes.contains(&format!(">{column}</th>")), "{column}");
    check_rows(mistakes, &table("iris.csv"), 5);
    assert!(!page.contains("<img"), "no pictures of rows");
}

#[test]
fn numbers_have_a_scatter_and_their_largest_errors() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("diabetes.csv"), table("diabetes.csv")).unwrap();
    let flags = "diabetes.csv --target target --epochs 2 --json --out run";
    let summary = json(dir.path(), flags);
    let first = page(&dir.path().join("run/report.html"));
    assert_eq!(sections(&first), ["run", "curves", "values", "mistakes", "network", "time"]);
    let samples = summary["test_samples"].as_u64().unwrap() as usize;
    assert_eq!(first.matches("class=\"cloud c0\"").count(), samples);
    check_rows(first.split("id=\"mistakes\"").nth(1).unwrap(), &table("diabetes.csv"), 4);
    let r2 = summary["test_r2"].as_f64().unwrap();
    let shown = format!("{r2:.4}");
    assert!(first.contains(shown.trim_end_matches('0')), "{r2}");
    succeed(dir.path(), "report run --quiet");
    assert!(page(&dir.path().join("run/report.html")) == first);
}

/// Each row of a table of samples has the cells that the file has there, from `at` on. The file
/// has nothing but numbers in its first columns.
fn check_rows(section: &str, file: &str, at: usize) {
    let lines: Vec<&str> = file.lines().collect();
    let body = section.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let mut found = 0;
    for row in body.split("<tr>").skip(1) {
        // Texts are every fourth part, between an element's start and its end.
        let row = row.trim_end_matches("</tr>");
        let cells: Vec<&str> = row.split(['<', '>']).skip(2).step_by(4).collect();
        let number: usize = cells[0].parse().unwrap();
        let expected: Vec<&str> = lines[number].split(',').collect();
        for (cell, expected) in cells[at..].iter().zip(expected) {
            let [cell, expected] = [*cell, expected].map(|text| text.parse::<f64>().unwrap());
            assert!((cell - expected).abs() < 1e-4 * expected.abs().max(1e-3), "{row}: {number}");
        }
        found += 1;
    }
    assert!(found > 0 && section.contains(">row</th>"));
}

/// A name from outside is a text, wherever it is shown.
#[test]
fn names_are_no_markup() {
    const HOSTILE: [&str; 2] =
        ["<script>alert(1)</script>", "a\"><img src=x onerror=alert(1)>&amp;"];
    let dir = tempfile::tempdir().unwrap();
    let mut text = "<b>size</b>,y\n".to_owned();
    for row in 0..60 {
        let name = HOSTILE[row % 2].replace('"', "\"\"");
        // Some are of the other class, so that there are mistakes.
        let size = if row % 10 == 0 { 1 - row % 2 } else { row % 2 };
        text += &format!("{size}.{row},\"{name}\"\n");
    }
    fs::write(dir.path().join("t.csv"), text).unwrap();
    succeed(dir.path(), "t.csv --target y --hidden 8 --epochs 40 --out <i>run");
    let page = page(&dir.path().join("<i>run/report.html"));
    for part in ["<i>", "<img", "<b>size", "onerror=alert(1)>"] {
        assert!(!page.contains(part), "{part}");
    }
    for part in
        ["&lt;script&gt;alert(1)&lt;/script&gt;", "&amp;amp;", "&lt;b&gt;size", "&lt;i&gt;run"]
    {
        assert!(page.contains(part), "{part}");
    }
}

/// Large pictures and many classes do not make a large page.
#[test]
fn the_page_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    data::write(&dir.path().join("data"), 150);
    succeed(dir.path(), "--recipe plain --hidden 64 --epochs 1 --lr 0.001 --out run");
    let large = page(&dir.path().join("run/report.html"));
    assert!(large.contains("width=\"50\" height=\"50\""));

    let mut many = parts(12);
    for part in &mut many {
        for (at, label) in part.labels.iter_mut().enumerate() {
            *label = (at % 200 % 100) as u8;
        }
    }
    data::write_parts(&dir.path().join("many"), &many);
    succeed(dir.path(), "many --hidden 16 --epochs 1 --out classes");
    let page = page(&dir.path().join("classes/report.html"));
    assert!(page.contains("Most confused") && !page.contains("class=\"matrix\""));
}

/// A folder with a short run, `run`.
fn short() -> TempDir {
    let dir = data::folder();
    succeed(dir.path(), "--hidden 16 --epochs 1 --quiet --out run");
    dir
}

#[test]
fn without_the_data_the_page_says_so() {
    let dir = short();
    let path = dir.path();
    fs::rename(path.join("data"), path.join("elsewhere")).unwrap();
    let output = run_in(path, "report run");
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success());
    assert!(
        note.starts_with("note: the report has what the directory of the run tells: "),
        "{note}"
    );
    let without = page(&path.join("run/report.html"));
    assert_eq!(sections(&without), ["run", "curves", "time"]);
    assert!(without.contains("This page has what the directory of the run tells"));
    let found = json(path, "report run --json");
    assert_eq!((&found["complete"], &found["runs"]), (&false.into(), &1.into()));

    let found = json(path, "report run --data elsewhere --json");
    assert_eq!(found["complete"], true);
    assert_eq!(found["bytes"], page(&path.join("run/report.html")).len());

    // Other data have other mistakes.
    let mut other = parts(28);
    other[1].features[0] ^= 1;
    data::write_parts(&path.join("other"), &other);
    let output = run_in(path, "report run --data other --out other.html");
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(note.contains("they have changed since"), "{note}");
    assert_eq!(sections(&page(&path.join("other.html"))), ["run", "curves", "time"]);
}

/// A damaged file is named, and the report has the rest.
#[test]
fn what_is_damaged_is_a_note() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, "--hidden 3 --epochs 3 --quiet --out run");
    let metrics = path.join("run/metrics.jsonl");
    let text = fs::read_to_string(&metrics).unwrap();
    let damaged = text.replace("{\"epoch\":2", "{\"epoch\":two");
    assert_ne!(text, damaged);
    fs::write(&metrics, damaged).unwrap();
    let report = |flags: &str| {
        let output = run_in(path, flags);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let of_metrics = "note: run/metrics.jsonl, line 2: expected the figures of an epoch as a JSON \
                      object: expected ident at byte 11 of the line; the report has the epochs \
                      before it\n";
    assert_eq!(report("report run"), of_metrics);
    page(&path.join("run/report.html"));
    fs::write(path.join("run/summary.json"), "{\n\"status\": done\n}\n").unwrap();
    let of_summary = "note: run/summary.json: expected a JSON object in the file: expected value \
                      at line 2 column 11\n";
    assert_eq!(report("report run"), format!("{of_summary}{of_metrics}"));
    page(&path.join("run/report.html"));
    // And where several are compared.
    succeed(path, "--hidden 4 --epochs 1 --quiet --out other");
    assert_eq!(report("report run other"), format!("{of_summary}{of_metrics}"));
    assert_eq!(report("report run other --quiet"), "");
}

/// The test samples are not looked at where the run has not done so.
#[test]
fn a_run_that_was_not_tested_is_not_tested_by_its_report() {
    let dir = data::folder();
    let path = dir.path();
    succeed(path, "--hidden 16 --epochs 2 --validation 0.2 --quiet --out held-out");
    succeed(path, "--hidden 16 --epochs 2 --quiet --out all");
    for run in ["held-out", "all"] {
        fs::write(path.join(run).join("summary.json"), "{\"status\": \"stopped\"}").unwrap();
    }
    for (run, expected) in
        [("held-out", "On the 60 held-out samples"), ("all", "On 256 training samples")]
    {
        succeed(path, &format!("report {run} --quiet"));
        let page = page(&path.join(run).join("report.html"));
        assert!(page.contains(expected), "{run}");
        assert!(page.contains("it is stopped") && !page.contains("test samples were used"));
    }
    // And before the first epoch there is nothing but the settings.
    for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
        fs::remove_file(path.join("all").join(file)).unwrap();
    }
    succeed(path, "report all");
    assert_eq!(sections(&page(&path.join("all/report.html"))), ["run", "time"]);
}

#[test]
fn several_runs_are_compared() {
    let dir = data::folder();
    let path = dir.path();
    for (run, flags) in
        [("a", "--lr 0.01"), ("b", "--lr 0.002 --batch-size 50"), ("c/a", "--lr 0.01")]
    {
        fs::create_dir_all(path.join("c")).unwrap();
        succeed(
            path,
            &format!("--hidden 16 --epochs 2 --validation 0.2 {flags} --quiet --out {run}"),
        );
    }
    // It needs no data.
    fs::remove_dir_all(path.join("data")).unwrap();
    assert_eq!(succeed(path, "report a b c/a"), "comparison.html\n");
    let page = page(&path.join("comparison.html"));
    assert_eq!(sections(&page), ["settings", "figures", "curves"]);
    // A row for each setting that differs, a column for each run.
    let rows = page.split("id=\"settings\"").nth(1).unwrap().split("<tbody>").nth(1).unwrap();
    let rows = rows.split("</tbody>").next().unwrap();
    let cells =
        |class: &str, cells: [&str; 3]| cells.map(|c| format!("<td class=\"{class}\">{c}</td>"));
    for (key, values) in
        [("training.lr", ["0.01", "0.002", "0.01"]), ("training.batch-size", ["200", "50", "200"])]
    {
        let row = format!("<th scope=\"row\">{key}</th>{}", cells("", values).concat());
        assert!(rows.contains(&row), "{row}: {rows}");
    }
    assert!(!rows.contains("network.hidden") && !rows.contains("training.epochs"));
    assert!(page.contains(&format!("status</th>{}", cells("n", ["done"; 3]).concat())));
    // Two runs have the same name, and are called by their paths.
    assert!(page.contains("</svg>c/a</th>") && page.contains("</svg>b</th>"));
    // Five charts, each with three lines.
    assert_eq!(page.matches("<path class=\"line c").count(), 15);

    succeed(path, "report a b --out pair.html --quiet");
    assert_eq!(names(path).iter().filter(|name| name.ends_with(".html")).count(), 2);
}

#[test]
fn the_report_can_be_left_out_and_is_replaced_with_its_run() {
    let dir = short();
    let path = dir.path();
    succeed(path, "--hidden 16 --epochs 1 --no-report --quiet --out none");
    assert!(!names(&path.join("none")).contains(&"report.html".to_owned()));
    let text = succeed(path, "--hidden 16 --epochs 1 --no-report --out run --overwrite");
    assert!(!path.join("run/report.html").exists() && !text.contains("report.html"));
    let text = succeed(path, "--resume run --epochs 2");
    assert!(text.contains("\nreport         run/report.html\n"), "{text}");
    assert!(page(&path.join("run/report.html")).contains("2 of 2"));
}

/// Pictures in folders, deskewed: what is shown is what the network sees.
#[test]
fn folders_of_pictures_have_pictures() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("all"), &parts(12)[0], &["ant", "bee", "cow", "dog"]);
    let flags = "all --recipe plain --hidden 20 --epochs 1 --deskew --lr 0.001 --seed 2 --out run";
    succeed(dir.path(), flags);
    let first = page(&dir.path().join("run/report.html"));
    assert!(first.contains("width=\"12\" height=\"12\""));
    let names = ["ant", "bee", "cow", "dog"];
    assert!(names.iter().any(|name| first.contains(&format!("labelled {name}\""))));
    succeed(dir.path(), "report run --quiet");
    assert!(page(&dir.path().join("run/report.html")) == first);
}
