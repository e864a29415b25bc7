//! PostgreSQL's binary values as JSON text.

use std::error::Error;

use jiff::{SignedDuration, civil};
use postgres_types::{FromSql, Kind, Type};
use tokio_postgres::Row;

use super::numeric;
use crate::sql::{
    column::{Column, Shape},
    rows,
};

type Broken = Box<dyn Error + Sync + Send>;

/// The bytes of a value, whatever its type.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Broken> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Broken> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What the values of a type look like; `None` for types that have no obvious JSON.
pub(super) fn shape(of: &Type) -> Option<Shape> {
    match *of {
        Type::BOOL => Some(Shape::Boolean),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => Some(Shape::Integer),
        Type::FLOAT4 | Type::FLOAT8 => Some(Shape::Number),
        Type::NUMERIC => Some(Shape::Decimal(None)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::UUID | Type::TIME | Type::INTERVAL => {
            Some(Shape::Text)
        }
        Type::TIMESTAMPTZ => Some(Shape::Moment),
        Type::TIMESTAMP => Some(Shape::Local),
        Type::DATE => Some(Shape::Date),
        Type::BYTEA => Some(Shape::Bytes),
        Type::JSON | Type::JSONB => Some(Shape::Json),
        _ => match of.kind() {
            Kind::Enum(_) => Some(Shape::Text),
            Kind::Domain(inner) => shape(inner),
            Kind::Array(inner) => shape(inner).map(|_| Shape::Json),
            Kind::Simple if of.name() == "citext" => Some(Shape::Text),
            _ => None,
        },
    }
}

/// Writes a row as an object.
pub(super) fn object(row: &Row, columns: &[Column], out: &mut Vec<u8>, room: usize) -> Result<(), Broken> {
    out.push(b'{');
    for (index, (column, of)) in columns.iter().zip(row.columns()).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.key.as_bytes());
        match row.try_get::<_, Raw<'_>>(index)?.0 {
            None => out.extend_from_slice(b"null"),
            Some(raw) if out.len() + raw.len() / 4 > room => {
                // Too large already: the caller of this drops the row, so what stands here does not matter.
                out.resize(room + 1, b' ');
                return Ok(());
            }
            Some(raw) => value(raw, of.type_(), out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

fn value(raw: &[u8], of: &Type, out: &mut Vec<u8>) -> Result<(), Broken> {
    match *of {
        Type::BOOL => rows::boolean(fixed::<1>(raw)? != [0], out),
        Type::INT2 => rows::integer(i16::from_be_bytes(fixed(raw)?).into(), out),
        Type::INT4 => rows::integer(i32::from_be_bytes(fixed(raw)?).into(), out),
        Type::OID => rows::integer(u32::from_be_bytes(fixed(raw)?).into(), out),
        Type::INT8 => rows::integer(i64::from_be_bytes(fixed(raw)?), out),
        Type::FLOAT4 => rows::single(f32::from_be_bytes(fixed(raw)?), out),
        Type::FLOAT8 => rows::number(f64::from_be_bytes(fixed(raw)?), out),
        Type::NUMERIC => rows::text(&numeric::text(raw)?, out),
        Type::UUID => rows::text(&uuid(fixed(raw)?), out),
        Type::TIMESTAMPTZ => rows::text(&moment(i64::from_be_bytes(fixed(raw)?), "Z")?, out),
        Type::TIMESTAMP => rows::text(&moment(i64::from_be_bytes(fixed(raw)?), "")?, out),
        Type::DATE => rows::text(&date(i32::from_be_bytes(fixed(raw)?))?, out),
        Type::TIME => rows::text(&time(i64::from_be_bytes(fixed(raw)?))?, out),
        Type::INTERVAL => rows::text(&interval(fixed(raw)?)?, out),
        Type::BYTEA => rows::bytes(raw, out),
        Type::JSON => rows::json(std::str::from_utf8(raw)?, out),
        // The first byte is the version of the format: 1 since there has been one.
        Type::JSONB => rows::json(std::str::from_utf8(raw.get(1..).unwrap_or_default())?, out),
        _ => match of.kind() {
            Kind::Domain(inner) => value(raw, inner, out)?,
            Kind::Array(inner) => array(raw, inner, out)?,
            _ => rows::text(std::str::from_utf8(raw)?, out),
        },
    }
    Ok(())
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Broken> {
    raw.try_into().map_err(|_| Broken::from(format!("a value of {} bytes instead of {N}", raw.len())))
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = u128::from_be_bytes(bytes);
    let hex = format!("{hex:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// PostgreSQL counts from here.
const EPOCH: civil::DateTime = civil::date(2000, 1, 1).at(0, 0, 0, 0);

const DAY: i64 = 86_400_000_000;
/// The calendar repeats itself after so many years, which are so many days.
const CYCLE: (i64, i64) = (400, 146_097);
/// Days from the epoch to the end of the year 9999; years beyond it are told by way of the same day some cycles before.
const FOUR_DIGITS: i64 = 2_921_939;

fn moment(micros: i64, zone: &str) -> Result<String, Broken> {
    match micros {
        i64::MAX => Ok("infinity".into()),
        i64::MIN => Ok("-infinity".into()),
        _ => {
            let time = civil::Time::midnight().checked_add(SignedDuration::from_micros(micros.rem_euclid(DAY)))?;
            Ok(format!("{}T{time}{zone}", day(micros.div_euclid(DAY))?))
        }
    }
}

fn date(days: i32) -> Result<String, Broken> {
    match days {
        i32::MAX => Ok("infinity".into()),
        i32::MIN => Ok("-infinity".into()),
        _ => day(days.into()),
    }
}

/// A day, counted from the epoch. A year of five or six digits is written with all of them, as PostgreSQL does.
fn day(days: i64) -> Result<String, Broken> {
    let cycles = (days - FOUR_DIGITS + CYCLE.1 - 1).div_euclid(CYCLE.1).max(0);
    let near = EPOCH.date().checked_add(SignedDuration::from_hours((days - cycles * CYCLE.1) * 24))?;
    if cycles == 0 {
        return Ok(near.to_string());
    }
    Ok(format!("{}-{:02}-{:02}", i64::from(near.year()) + cycles * CYCLE.0, near.month(), near.day()))
}

fn time(micros: i64) -> Result<String, Broken> {
    if micros == DAY {
        return Ok("24:00:00".into());
    }
    Ok(civil::Time::midnight().checked_add(SignedDuration::from_micros(micros))?.to_string())
}

/// An ISO 8601 duration: microseconds, days and months as the server keeps them apart.
fn interval(raw: [u8; 16]) -> Result<String, Broken> {
    let micros = i64::from_be_bytes(fixed(&raw[..8])?);
    let days = i32::from_be_bytes(fixed(&raw[8..12])?);
    let months = i32::from_be_bytes(fixed(&raw[12..])?);
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    Ok(format!("P{months}M{days}DT{sign}{seconds}.{fraction:06}S"))
}

/// One- and more-dimensional arrays as JSON lists.
fn array(raw: &[u8], of: &Type, out: &mut Vec<u8>) -> Result<(), Broken> {
    let mut rest = raw;
    let dimensions = usize::try_from(take_i32(&mut rest)?)?;
    let (_has_null, _element) = (take_i32(&mut rest)?, take_i32(&mut rest)?);
    let mut lengths = Vec::with_capacity(dimensions.min(6));
    for _ in 0..dimensions {
        lengths.push(usize::try_from(take_i32(&mut rest)?)?);
        let _lower_bound = take_i32(&mut rest)?;
    }
    if lengths.is_empty() {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    level(&mut rest, &lengths, of, out)
}

fn level(rest: &mut &[u8], lengths: &[usize], of: &Type, out: &mut Vec<u8>) -> Result<(), Broken> {
    let Some((length, inner)) = lengths.split_first() else {
        let size = take_i32(rest)?;
        let Ok(size) = usize::try_from(size) else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        let (element, after) = rest.split_at_checked(size).ok_or("an array ends too soon")?;
        *rest = after;
        return value(element, of, out);
    };
    out.push(b'[');
    for index in 0..*length {
        if index > 0 {
            out.push(b',');
        }
        level(rest, inner, of, out)?;
    }
    out.push(b']');
    Ok(())
}

fn take_i32(rest: &mut &[u8]) -> Result<i32, Broken> {
    let (bytes, after) = rest.split_first_chunk::<4>().ok_or("an array ends too soon")?;
    *rest = after;
    Ok(i32::from_be_bytes(*bytes))
}
