//! The three-stage runner: overlap, order, failures, cancelling.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use pastiche_pipeline::{Cancel, Ending, Sink, StageError, StageNames, Transform, run_stages};

const NAMES: StageNames = StageNames { source: "read", transform: "paint", sink: "write" };

#[derive(Debug)]
enum Failed {
    At(&'static str, usize),
    Stage(StageError),
}

impl From<StageError> for Failed {
    fn from(error: StageError) -> Self {
        Self::Stage(error)
    }
}

/// Calls `each` with every item, then hands out the items and how they ended.
struct Collect<F> {
    items: Vec<usize>,
    each: F,
}

fn collect<F: FnMut(usize) -> Result<(), Failed>>(each: F) -> Collect<F> {
    Collect { items: Vec::new(), each }
}

impl<F: FnMut(usize) -> Result<(), Failed>> Sink<usize, Failed> for Collect<F> {
    type Output = (Vec<usize>, Ending);

    fn write(&mut self, item: usize) -> Result<ControlFlow<()>, Failed> {
        (self.each)(item)?;
        self.items.push(item);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self, ending: Ending) -> Result<Self::Output, Failed> {
        Ok((self.items, ending))
    }
}

/// A source of `0..count`.
fn numbers(count: usize) -> impl FnMut() -> Result<Option<usize>, Failed> + Send {
    let mut numbers = 0..count;
    move || Ok(numbers.next())
}

#[test]
fn stages_overlap_and_keep_every_item_in_order() {
    const FRAMES: usize = 300;
    let work = || thread::sleep(Duration::from_millis(20));
    let mut read = numbers(FRAMES);
    let started = Instant::now();
    let (items, ending) = run_stages(
        NAMES,
        move || {
            let item = read()?;
            if item.is_some() {
                work();
            }
            Ok(item)
        },
        |item: usize| {
            work();
            Ok(item * 10)
        },
        collect(move |_| {
            work();
            Ok(())
        }),
        &Cancel::new(),
    )
    .unwrap();
    let elapsed = started.elapsed();
    assert_eq!(items, (0..FRAMES).map(|i| i * 10).collect::<Vec<_>>());
    assert_eq!(ending, Ending::Complete);
    assert!(elapsed <= Duration::from_secs(6).mul_f64(1.15), "300 frames of 20 ms took {elapsed:?}");
}

#[test]
fn stages_run_on_threads_that_bear_their_names() {
    let name = || thread::current().name().unwrap_or_default().to_owned();
    let caller = thread::current().id();
    let mut read = numbers(1);
    run_stages(
        NAMES,
        move || {
            assert_eq!(name(), "read");
            read()
        },
        |item: usize| {
            assert_eq!(thread::current().id(), caller, "the caller's thread owns the device");
            Ok(item)
        },
        collect(move |_| {
            assert_eq!(name(), "write");
            Ok(())
        }),
        &Cancel::new(),
    )
    .unwrap();
}

#[test]
fn an_empty_source_still_finishes_the_sink() {
    let (items, ending) = run_stages(NAMES, numbers(0), Ok, collect(|_| Ok(())), &Cancel::new()).unwrap();
    assert_eq!((items.len(), ending), (0, Ending::Complete));
}

/// Works on two items at a time: gives an item when the next has come.
struct TwoAtATime(Vec<usize>);

impl Transform<usize, usize, Failed> for TwoAtATime {
    fn push(&mut self, item: usize) -> Result<Option<usize>, Failed> {
        self.0.push(item);
        if self.0.len() < 2 { Ok(None) } else { self.finish() }
    }

    fn finish(&mut self) -> Result<Option<usize>, Failed> {
        Ok((!self.0.is_empty()).then(|| self.0.remove(0)))
    }
}

#[test]
fn what_the_middle_holds_back_comes_in_order_at_the_end() {
    for count in [0, 1, 2, 3, 50] {
        let (items, ending) =
            run_stages(NAMES, numbers(count), TwoAtATime(Vec::new()), collect(|_| Ok(())), &Cancel::new())
                .unwrap();
        assert_eq!((items, ending), ((0..count).collect(), Ending::Complete));
    }
}

#[test]
fn what_the_middle_has_begun_when_it_is_cancelled_is_still_written() {
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let mut next = 0..;
    let sink = collect(move |item| {
        if item == 20 {
            switch.cancel();
        }
        Ok(())
    });
    let (items, ending) =
        run_stages(NAMES, move || Ok(next.next()), TwoAtATime(Vec::new()), sink, &cancel).unwrap();
    assert_eq!(ending, Ending::Cancelled);
    assert!((22..40).contains(&items.len()), "{} items", items.len());
    assert_eq!(items, (0..items.len()).collect::<Vec<_>>());
}

/// Runs endless stages, of which `stage` calls `fail` at item 7, and returns the run's error.
fn run_that_fails_in(stage: &'static str, fail: fn(&'static str, usize) -> Result<(), Failed>) -> Failed {
    let at =
        move |here: &'static str, item| if here == stage && item == 7 { fail(here, item) } else { Ok(()) };
    let mut next = 0..;
    let result = run_stages(
        NAMES,
        move || {
            let item = next.next();
            at("read", item.unwrap_or_default())?;
            Ok(item)
        },
        |item: usize| at("paint", item).map(|()| item),
        collect(move |item| at("write", item)),
        &Cancel::new(),
    );
    match result {
        Err(error) => error,
        Ok(output) => panic!("the run finished: {output:?}"),
    }
}

#[test]
fn an_error_in_any_stage_ends_the_others_and_is_reported() {
    for stage in ["read", "paint", "write"] {
        let error = run_that_fails_in(stage, |stage, item| Err(Failed::At(stage, item)));
        assert!(matches!(error, Failed::At(at, 7) if at == stage), "{stage}: {error:?}");
    }
}

#[test]
fn a_panic_in_any_stage_becomes_an_error() {
    for stage in ["read", "paint", "write"] {
        let error = run_that_fails_in(stage, |_, item| panic!("no way past {item}"));
        let Failed::Stage(StageError::Panicked { stage: at, message }) = error else {
            panic!("{stage}: {error:?}");
        };
        assert_eq!((at, message.as_str()), (stage, "no way past 7"));
    }
}

#[test]
fn the_first_of_two_failures_is_the_one_reported() {
    // The source fails only once the sink has, and long after.
    let mut next = 0..;
    let failed = AtomicUsize::new(0);
    let error = run_stages(
        NAMES,
        || {
            if failed.load(Ordering::SeqCst) == 1 {
                thread::sleep(Duration::from_millis(30));
                return Err(Failed::At("read", 0));
            }
            Ok(next.next())
        },
        Ok,
        collect(|item| {
            failed.store(1, Ordering::SeqCst);
            Err(Failed::At("write", item))
        }),
        &Cancel::new(),
    )
    .unwrap_err();
    assert!(matches!(error, Failed::At("write", 0)), "{error:?}");
}

#[test]
fn cancelling_finishes_the_sink_with_a_gapless_beginning() {
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let mut next = 0..;
    let started = Instant::now();
    let (items, ending) = run_stages(
        NAMES,
        move || Ok(next.next()),
        |item: usize| {
            thread::sleep(Duration::from_millis(1));
            Ok(item)
        },
        collect(move |item| {
            if item == 50 {
                switch.cancel();
            }
            Ok(())
        }),
        &cancel,
    )
    .unwrap();
    assert_eq!(ending, Ending::Cancelled);
    assert!((51..60).contains(&items.len()), "{} items", items.len());
    assert_eq!(items, (0..items.len()).collect::<Vec<_>>());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let done = AtomicUsize::new(0);
    let (items, ending) = run_stages(
        NAMES,
        numbers(3),
        |item: usize| {
            done.fetch_add(1, Ordering::SeqCst);
            Ok(item)
        },
        collect(|item| {
            if item == 2 {
                // The last item: both other stages have ended, or are about to find their queues at an end.
                thread::sleep(Duration::from_millis(50));
                switch.cancel();
            }
            Ok(())
        }),
        &cancel,
    )
    .unwrap();
    assert_eq!((items.len(), done.load(Ordering::SeqCst), ending), (3, 3, Ending::Complete));
}

/// Takes so many items and no more.
struct Full {
    items: Vec<usize>,
    capacity: usize,
}

impl Sink<usize, Failed> for Full {
    type Output = (Vec<usize>, Ending);

    fn write(&mut self, item: usize) -> Result<ControlFlow<()>, Failed> {
        if self.items.len() == self.capacity {
            return Ok(ControlFlow::Break(()));
        }
        self.items.push(item);
        Ok(ControlFlow::Continue(()))
    }

    fn finish(self, ending: Ending) -> Result<Self::Output, Failed> {
        Ok((self.items, ending))
    }
}

#[test]
fn a_sink_that_takes_no_more_ends_the_run_and_is_finished() {
    let mut next = 0..;
    let sink = Full { items: Vec::new(), capacity: 20 };
    let (items, ending) = run_stages(NAMES, move || Ok(next.next()), Ok, sink, &Cancel::new()).unwrap();
    assert_eq!((items, ending), ((0..20).collect(), Ending::Stopped));
}
