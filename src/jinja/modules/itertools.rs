//! `modules.itertools`: what dbt hands out of it. Endless ones end after as many items as anybody could want.

use minijinja::Value;

use crate::jinja::operators::binary;
use crate::jinja::value::{Generator, Operator, function, items, none, tuple, type_name};
use crate::jinja::{Args, Cx, Error, fault};

/// Where `count()`, `cycle()` and `repeat()` end.
const ENDLESS: usize = 100_000;

type Body = fn(&mut Cx<'_>, &Args) -> Result<Vec<Value>, Error>;

const FUNCTIONS: [(&str, Body); 14] = [
    ("count", count),
    ("cycle", |_, args| Ok(all(args, 0)?.into_iter().cycle().take(ENDLESS).collect())),
    ("repeat", |_, args| {
        let times = args.whole(1, "times")?.map_or(ENDLESS, |times| usize::try_from(times).unwrap_or_default());
        Ok(vec![args.required("repeat", 0, "object")?.clone(); times.min(ENDLESS)])
    }),
    ("accumulate", accumulate),
    ("chain", |_, args| {
        let parts: Result<Vec<Vec<Value>>, Error> = (0..args.positional.len()).map(|at| all(args, at)).collect();
        Ok(parts?.concat())
    }),
    ("compress", |_, args| {
        let kept = all(args, 0)?.into_iter().zip(all(args, 1)?).filter(|(_, select)| select.is_true());
        Ok(kept.map(|(item, _)| item).collect())
    }),
    ("islice", islice),
    ("starmap", |cx, args| {
        let callee = args.required("starmap", 0, "function")?.clone();
        let call = |item: Value| cx.call(&callee, Args::new(items(&item).ok_or_else(|| not_iterable(&item))?));
        all(args, 1)?.into_iter().map(call).collect()
    }),
    ("tee", |_, args| {
        let copies = usize::try_from(args.whole(1, "n")?.unwrap_or(2)).unwrap_or_default().min(1000);
        Ok(vec![Generator::value("tee", all(args, 0)?); copies])
    }),
    ("zip_longest", zip_longest),
    ("product", product),
    ("permutations", |_, args| {
        let pool = all(args, 0)?;
        let length = length(args)?.unwrap_or(pool.len());
        Ok(arrangements(&pool, length, &|chosen, next| !chosen.contains(&next)))
    }),
    ("combinations", |_, args| {
        let pool = all(args, 0)?;
        Ok(arrangements(&pool, required_length(args)?, &|chosen, next| chosen.last().is_none_or(|last| next > *last)))
    }),
    ("combinations_with_replacement", |_, args| {
        let pool = all(args, 0)?;
        Ok(arrangements(&pool, required_length(args)?, &|chosen, next| chosen.last().is_none_or(|last| next >= *last)))
    }),
];

pub(super) fn module() -> Value {
    let made = FUNCTIONS.into_iter().map(|(name, body)| {
        let call = move |cx: &mut Cx<'_>, args: Args| body(cx, &args).map(|items| Generator::value(name, items));
        (name, function(name, call))
    });
    super::module("itertools", made)
}

fn not_iterable(value: &Value) -> Error {
    Error::compilation(format!("'{}' object is not iterable", type_name(value)))
}

fn all(args: &Args, position: usize) -> Result<Vec<Value>, Error> {
    let value = args.required("itertools", position, "iterable")?;
    items(value).ok_or_else(|| not_iterable(value))
}

fn add(a: &Value, b: &Value) -> Result<Value, Error> {
    binary(Operator::Add, a, b).map_err(|error| fault::from_native(&error, None))
}

fn count(_cx: &mut Cx<'_>, args: &Args) -> Result<Vec<Value>, Error> {
    let mut next = args.get(0, "start").cloned().unwrap_or_else(|| Value::from(0));
    let step = args.get(1, "step").cloned().unwrap_or_else(|| Value::from(1));
    let mut found = Vec::with_capacity(ENDLESS);
    for _ in 0..ENDLESS {
        let after = add(&next, &step)?;
        found.push(std::mem::replace(&mut next, after));
    }
    Ok(found)
}

fn accumulate(cx: &mut Cx<'_>, args: &Args) -> Result<Vec<Value>, Error> {
    let callee = args.given(1, "func").cloned();
    let mut found: Vec<Value> = args.given(2, "initial").cloned().into_iter().collect();
    for item in all(args, 0)? {
        let next = match (found.last(), &callee) {
            (None, _) => item,
            (Some(last), None) => add(last, &item)?,
            (Some(last), Some(callee)) => cx.call(callee, Args::new(vec![last.clone(), item]))?,
        };
        found.push(next);
    }
    Ok(found)
}

fn islice(_cx: &mut Cx<'_>, args: &Args) -> Result<Vec<Value>, Error> {
    let bound = |position: usize| -> Result<Option<usize>, Error> {
        match args.whole(position, "")? {
            Some(number) => match usize::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Error::compilation("islice() takes no negative numbers")),
            },
            None => Ok(None),
        }
    };
    let (start, stop) = if args.positional.len() < 3 { (0, bound(1)?) } else { (bound(1)?.unwrap_or(0), bound(2)?) };
    let step = bound(3)?.unwrap_or(1).max(1);
    let taken = all(args, 0)?.into_iter().take(stop.unwrap_or(usize::MAX));
    Ok(taken.skip(start).step_by(step).collect())
}

fn zip_longest(_cx: &mut Cx<'_>, args: &Args) -> Result<Vec<Value>, Error> {
    let fill = args.keyword.get("fillvalue").cloned().unwrap_or_else(none);
    let columns: Result<Vec<Vec<Value>>, Error> = (0..args.positional.len()).map(|at| all(args, at)).collect();
    let columns = columns?;
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default();
    let row = |at: usize| tuple(columns.iter().map(|column| column.get(at).unwrap_or(&fill).clone()).collect());
    Ok((0..rows).map(row).collect())
}

fn product(_cx: &mut Cx<'_>, args: &Args) -> Result<Vec<Value>, Error> {
    let pools: Result<Vec<Vec<Value>>, Error> = (0..args.positional.len()).map(|at| all(args, at)).collect();
    let repeat = args.keyword.get("repeat").and_then(Value::as_usize).unwrap_or(1);
    let pools = vec![pools?; repeat].concat();
    let size = pools.iter().fold(1_usize, |size, pool| size.saturating_mul(pool.len()));
    if size > ENDLESS * 100 {
        return Err(Error::compilation(format!("product() would give {size} items")));
    }
    let mut found: Vec<Vec<Value>> = vec![Vec::new()];
    for pool in &pools {
        let longer = |chosen: &Vec<Value>| {
            let chosen = chosen.clone();
            pool.iter().map(move |item| [chosen.as_slice(), std::slice::from_ref(item)].concat()).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(longer).collect();
    }
    Ok(found.into_iter().map(tuple).collect())
}

fn length(args: &Args) -> Result<Option<usize>, Error> {
    Ok(args.whole(1, "r")?.map(|length| usize::try_from(length).unwrap_or_default()))
}

fn required_length(args: &Args) -> Result<usize, Error> {
    length(args)?.ok_or_else(|| Error::compilation("combinations() missing required argument 'r' (pos 2)"))
}

/// All choices of `length` places of a pool in which each next place is allowed after those before.
fn arrangements(pool: &[Value], length: usize, allowed: &dyn Fn(&[usize], usize) -> bool) -> Vec<Value> {
    let mut found: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..length {
        let longer = |chosen: &Vec<usize>| {
            let next = (0..pool.len()).filter(|next| allowed(chosen, *next));
            next.map(|next| [chosen.as_slice(), &[next]].concat()).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(longer).take(ENDLESS * 10).collect();
    }
    found.into_iter().map(|places| tuple(places.into_iter().filter_map(|at| pool.get(at).cloned()).collect())).collect()
}
