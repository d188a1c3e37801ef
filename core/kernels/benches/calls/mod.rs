//! A prepared call of every kernel, which both kinds of benchmark make.

use std::hint::black_box;

use mcp_kernels::edit_distance::{Pattern, levenshtein};
use mcp_kernels::input::{self, Size, Tile};
use mcp_kernels::level::Level;
use mcp_kernels::regex::Scanner;
use mcp_kernels::shingles::{Cut, Scratch, winnow};
use mcp_kernels::tfidf::Index;
use mcp_kernels::{
    bitset, bytes, cosine, dot, hash, histogram, json_rpc, map, moving, regex, robust, smoothing, sort,
    substring, tfidf,
};
use memchr::memmem::Finder;

/// One call of a kernel on an input that is ready.
pub type Call = Box<dyn FnMut()>;

/// How many rows a search returns.
const BEST: usize = 10;

pub fn json_rpc_parse(size: Size) -> Call {
    let messages = input::messages(size);
    Box::new(move || {
        for message in &messages {
            black_box(json_rpc::parse(black_box(message))).expect("every message of the input is valid");
        }
    })
}

pub fn json_rpc_write(size: Size) -> Call {
    let replies = input::replies(size);
    let mut line = Vec::new();
    Box::new(move || {
        line.clear();
        for reply in &replies {
            json_rpc::write(black_box(reply), &mut line);
        }
        black_box(&line);
    })
}

pub fn dot_naive(size: Size) -> Call {
    products(input::narrow_tile(size), dot::naive)
}

pub fn dot_lanes(size: Size) -> Call {
    products(input::wide_tile(size), dot::lanes)
}

pub fn dot_dispatched(size: Size) -> Call {
    products(input::wide_tile(size), |query, rows, scores| {
        dot::dispatched(Level::detected(), query, rows, scores);
    })
}

fn products(tile: Tile, form: fn(&[f32], &[f32], &mut [f32])) -> Call {
    let mut scores = vec![0.0; tile.count()];
    Box::new(move || {
        form(black_box(&tile.query), black_box(&tile.rows), &mut scores);
        black_box(&scores);
    })
}

pub fn cosine_top_k(size: Size) -> Call {
    let (embeddings, query) = input::embeddings(size);
    Box::new(move || {
        black_box(cosine::top_k(black_box(&embeddings), black_box(&query), BEST));
    })
}

pub fn cosine_dispatched(size: Size) -> Call {
    let (embeddings, query) = input::embeddings(size);
    Box::new(move || {
        let level = Level::detected();
        black_box(cosine::dispatched(level, black_box(&embeddings), black_box(&query), BEST));
    })
}

pub fn cosine_top_k_10k(size: Size) -> Call {
    let (embeddings, query) = input::many_embeddings(size);
    Box::new(move || {
        black_box(cosine::top_k(black_box(&embeddings), black_box(&query), BEST));
    })
}

pub fn bitset_intersect(size: Size) -> Call {
    shared(size, bitset::intersect)
}

pub fn bitset_dispatched(size: Size) -> Call {
    shared(size, |query, sets, counts| {
        bitset::dispatched(Level::detected(), query, sets, counts);
    })
}

fn shared(size: Size, form: fn(&[u64], &[u64], &mut [u32])) -> Call {
    let sets = input::bit_sets(size);
    let mut counts = vec![0; sets.count()];
    Box::new(move || {
        form(black_box(&sets.query), black_box(&sets.sets), &mut counts);
        black_box(&counts);
    })
}

pub fn robust_z_score(size: Size) -> Call {
    let series = input::series(size);
    let mut scores = vec![0.0; series.len()];
    Box::new(move || {
        black_box(robust::z_scores(black_box(&series), &mut scores));
        black_box(&scores);
    })
}

pub fn moving_mean_sd(size: Size) -> Call {
    moments(size, moving::mean_sd)
}

pub fn moving_dispatched(size: Size) -> Call {
    moments(size, |series, window, means, deviations| {
        moving::dispatched(Level::detected(), series, window, means, deviations);
    })
}

fn moments(size: Size, form: fn(&[f64], usize, &mut [f64], &mut [f64])) -> Call {
    let series = input::series(size);
    let mut means = vec![0.0; moving::window_count(series.len(), input::WINDOW)];
    let mut deviations = means.clone();
    Box::new(move || {
        form(black_box(&series), input::WINDOW, &mut means, &mut deviations);
        black_box((&means, &deviations));
    })
}

pub fn smoothing_holt(size: Size) -> Call {
    errors(size, smoothing::holt)
}

pub fn smoothing_dispatched(size: Size) -> Call {
    errors(size, |series, alphas, betas, errors| {
        smoothing::dispatched(Level::detected(), series, alphas, betas, errors);
    })
}

type Smoothing = fn(&[f64], &[f64], &[f64], &mut [f64]);

fn errors(size: Size, form: Smoothing) -> Call {
    let series = input::series(size);
    let (alphas, betas) = input::weights();
    let mut errors = vec![0.0; alphas.len()];
    Box::new(move || {
        form(black_box(&series), &alphas, &betas, &mut errors);
        black_box(&errors);
    })
}

pub fn histogram_record(size: Size) -> Call {
    let latencies = input::latencies(size);
    let mut histogram = histogram::latencies();
    Box::new(move || {
        black_box(histogram::record(&mut histogram, black_box(&latencies)));
    })
}

pub fn tfidf_score(size: Size) -> Call {
    let index = Index::new(&input::documents(size));
    let question = input::question(size);
    let mut scores = vec![0.0; index.documents()];
    Box::new(move || {
        tfidf::score(&index, black_box(question), &mut scores);
        black_box(&scores);
    })
}

pub fn shingles_winnow(size: Size) -> Call {
    let text = input::passage(size);
    let cut = Cut { shingle: 5, window: 8 };
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    Box::new(move || {
        winnow(black_box(text), cut, &mut scratch, &mut found);
        black_box(&found);
    })
}

pub fn edit_distance_levenshtein(size: Size) -> Call {
    let names = input::names(size);
    let mut pattern = Pattern::new(input::MISSPELT.as_bytes());
    Box::new(move || {
        for name in &names {
            black_box(levenshtein(&mut pattern, black_box(name.as_bytes())));
        }
    })
}

pub fn regex_scan(size: Size) -> Call {
    let scanner = Scanner::new();
    let text = input::log(size).as_bytes();
    let mut spans = Vec::new();
    Box::new(move || {
        regex::scan(&scanner, black_box(text), &mut spans);
        black_box(&spans);
    })
}

pub fn substring_scan(size: Size) -> Call {
    let needle = Finder::new(input::NEEDLE);
    let text = input::source(size).as_bytes();
    let mut places = Vec::new();
    Box::new(move || {
        substring::scan(&needle, black_box(text), &mut places);
        black_box(&places);
    })
}

pub fn bytes_histogram(size: Size) -> Call {
    let text = input::file(size).as_bytes();
    Box::new(move || {
        black_box(bytes::histogram(black_box(text)));
    })
}

pub fn bytes_classes(size: Size) -> Call {
    let text = input::file(size).as_bytes();
    Box::new(move || {
        black_box(bytes::classes(black_box(text)));
    })
}

pub fn bytes_dispatched(size: Size) -> Call {
    let text = input::file(size).as_bytes();
    Box::new(move || {
        black_box(bytes::dispatched(Level::detected(), black_box(text)));
    })
}

pub fn hash_xxh3(size: Size) -> Call {
    let text = input::source(size).as_bytes();
    Box::new(move || {
        black_box(hash::xxh3(black_box(text)));
    })
}

pub fn hash_sip(size: Size) -> Call {
    let text = input::file(size).as_bytes();
    Box::new(move || {
        black_box(hash::sip(black_box(text)));
    })
}

pub fn sort_u32(size: Size) -> Call {
    let ids = input::ids(size);
    let mut sorted = ids.clone();
    Box::new(move || {
        sorted.copy_from_slice(black_box(&ids));
        sort::ascending(&mut sorted);
        black_box(&sorted);
    })
}

pub fn map_lookup(size: Size) -> Call {
    let names = input::names(size);
    let words = input::words(size);
    let mut numbers = vec![0; words.len()];
    let mut table = map::Table::default();
    Box::new(move || {
        map::lookup(&mut table, &names, black_box(&words), &mut numbers);
        black_box(&numbers);
    })
}
