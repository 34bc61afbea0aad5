//! Decimal numbers with Python's default context: results have at most 28 digits, ties go to the even one.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigUint;

const PRECISION: i64 = 28;
/// Exponents beyond are taken for infinite or zero: far outside of what a warehouse has.
const WIDEST: i64 = 100_000;

/// `digits * 10^exponent`; trailing zeros are part of the number.
#[derive(Debug, Clone)]
pub struct Finite {
    pub negative: bool,
    digits: BigUint,
    pub exponent: i64,
}

#[derive(Debug, Clone)]
pub enum Decimal {
    Finite(Finite),
    Infinity { negative: bool },
    NaN,
}

/// What Python signals instead of giving a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    DivisionByZero,
    DivisionUndefined,
    DivisionImpossible,
    InvalidOperation,
    Overflow,
}

impl Signal {
    /// As Python's error shows it.
    pub fn text(self) -> String {
        let name = match self {
            Self::DivisionByZero => "DivisionByZero",
            Self::DivisionUndefined => "DivisionUndefined",
            Self::DivisionImpossible => "DivisionImpossible",
            Self::InvalidOperation => "InvalidOperation",
            Self::Overflow => "Overflow",
        };
        format!("[<class 'decimal.{name}'>]")
    }
}

fn power_of_ten(places: i64) -> BigUint {
    BigUint::from(10_u32).pow(u32::try_from(places).unwrap_or_default())
}

fn count(digits: &BigUint) -> i64 {
    i64::try_from(digits.to_string().len()).unwrap_or(i64::MAX)
}

/// Divides by a power of ten, ties to even.
fn dropped(digits: &BigUint, places: i64) -> BigUint {
    let divisor = power_of_ten(places);
    let (quotient, rest) = (digits / &divisor, digits % &divisor);
    match (rest * 2_u32).cmp(&divisor) {
        Ordering::Greater => quotient + 1_u32,
        Ordering::Equal if quotient.bit(0) => quotient + 1_u32,
        _ => quotient,
    }
}

impl Finite {
    pub fn new(negative: bool, digits: impl Into<BigUint>, exponent: i64) -> Self {
        Self { negative, digits: digits.into(), exponent }
    }

    pub fn is_zero(&self) -> bool {
        self.digits == BigUint::ZERO
    }

    /// The power of ten of the first digit.
    fn adjusted(&self) -> i64 {
        self.exponent + count(&self.digits) - 1
    }

    /// At most 28 digits.
    fn rounded(self) -> Self {
        let excess = count(&self.digits) - PRECISION;
        if excess <= 0 {
            return self;
        }
        let digits = dropped(&self.digits, excess);
        let carried = Self { digits, exponent: self.exponent + excess, ..self };
        // 99…9 may have become 100…0.
        if count(&carried.digits) > PRECISION { carried.rounded() } else { carried }
    }

    /// With that exponent; digits that it has no place for are rounded away.
    pub fn rescaled(&self, exponent: i64) -> Self {
        let digits = if self.exponent >= exponent {
            &self.digits * power_of_ten(self.exponent - exponent)
        } else {
            dropped(&self.digits, exponent - self.exponent)
        };
        Self { negative: self.negative, digits, exponent }
    }

    /// Without trailing zeros.
    pub fn normalized(&self) -> Self {
        let text = self.digits.to_string();
        let kept = text.trim_end_matches('0');
        if kept.is_empty() {
            return Self { digits: BigUint::ZERO, exponent: 0, ..*self };
        }
        let cut = i64::try_from(text.len() - kept.len()).unwrap_or_default();
        Self { negative: self.negative, digits: &self.digits / power_of_ten(cut), exponent: self.exponent + cut }
    }

    /// The whole part, without the fraction.
    pub fn truncated(&self) -> (bool, BigUint) {
        let digits = if self.exponent >= 0 {
            &self.digits * power_of_ten(self.exponent.min(WIDEST))
        } else {
            &self.digits / power_of_ten((-self.exponent).min(WIDEST))
        };
        (self.negative, digits)
    }

    pub fn is_whole(&self) -> bool {
        self.exponent >= 0 || self.normalized().exponent >= 0
    }

    fn aligned(&self, other: &Self) -> (BigUint, BigUint, i64) {
        let exponent = self.exponent.min(other.exponent);
        let shifted = |number: &Self| &number.digits * power_of_ten(number.exponent - exponent);
        (shifted(self), shifted(other), exponent)
    }

    fn plus(&self, other: &Self) -> Self {
        let (left, right, exponent) = self.aligned(other);
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, left + right)
        } else {
            match left.cmp(&right) {
                Ordering::Greater => (self.negative, left - right),
                Ordering::Less => (other.negative, right - left),
                Ordering::Equal => (false, BigUint::ZERO),
            }
        };
        Self { negative, digits, exponent }.rounded()
    }

    fn times(&self, other: &Self) -> Self {
        let negative = self.negative != other.negative;
        Self { negative, digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }.rounded()
    }

    fn divided(&self, other: &Self) -> Result<Self, Signal> {
        if other.is_zero() {
            return Err(if self.is_zero() { Signal::DivisionUndefined } else { Signal::DivisionByZero });
        }
        let negative = self.negative != other.negative;
        let ideal = self.exponent - other.exponent;
        if self.is_zero() {
            return Ok(Self { negative, digits: BigUint::ZERO, exponent: ideal });
        }
        let shift = count(&other.digits) - count(&self.digits) + PRECISION + 1;
        let (dividend, divisor) = if shift >= 0 {
            (&self.digits * power_of_ten(shift), other.digits.clone())
        } else {
            (self.digits.clone(), &other.digits * power_of_ten(-shift))
        };
        let (mut digits, mut exponent) = (&dividend / &divisor, ideal - shift);
        if &digits * &divisor == dividend {
            while exponent < ideal && &digits % 10_u32 == BigUint::ZERO {
                digits /= 10_u32;
                exponent += 1;
            }
        } else if &digits % 5_u32 == BigUint::ZERO {
            // More digits follow: no tie.
            digits += 1_u32;
        }
        Ok(Self { negative, digits, exponent }.rounded())
    }

    /// The whole quotient, cut towards zero, and what is left.
    fn divided_whole(&self, other: &Self) -> Result<(Self, Self), Signal> {
        if other.is_zero() {
            return Err(if self.is_zero() { Signal::DivisionUndefined } else { Signal::DivisionByZero });
        }
        let ideal = self.exponent.min(other.exponent);
        let negative = self.negative != other.negative;
        let apart = self.adjusted() - other.adjusted();
        if self.is_zero() || apart <= -2 {
            return Ok((Self::new(negative, 0_u32, 0), self.rescaled(ideal)));
        }
        if apart > PRECISION {
            return Err(Signal::DivisionImpossible);
        }
        let (left, right, _) = self.aligned(other);
        let (quotient, rest) = (&left / &right, &left % &right);
        if count(&quotient) > PRECISION {
            return Err(Signal::DivisionImpossible);
        }
        Ok((Self::new(negative, quotient, 0), Self { negative: self.negative, digits: rest, exponent: ideal }.rounded()))
    }

    /// To a whole power.
    fn power(&self, exponent: i64) -> Result<Self, Signal> {
        let times = u32::try_from(exponent.unsigned_abs()).map_err(|_| Signal::Overflow)?;
        if self.is_zero() {
            return match exponent {
                0 => Err(Signal::InvalidOperation),
                1.. => Ok(Self::new(self.negative && times % 2 == 1, 0_u32, 0)),
                _ => Err(Signal::DivisionByZero),
            };
        }
        if self.adjusted().unsigned_abs().saturating_add(1).saturating_mul(times.into()) > WIDEST.unsigned_abs() {
            return Err(Signal::Overflow);
        }
        let negative = self.negative && times % 2 == 1;
        let whole = Self { negative, digits: self.digits.pow(times), exponent: self.exponent * i64::from(times) };
        if exponent >= 0 { Ok(whole.rounded()) } else { Self::new(false, 1_u32, 0).divided(&whole) }
    }

    fn order(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let signs = sign(self).cmp(&sign(other));
        if signs.is_ne() || self.is_zero() {
            return signs;
        }
        let size = self.adjusted().cmp(&other.adjusted()).then_with(|| {
            let (left, right, _) = self.aligned(other);
            left.cmp(&right)
        });
        if self.negative { size.reverse() } else { size }
    }
}

impl Decimal {
    pub fn whole(number: i128) -> Self {
        Self::Finite(Finite::new(number < 0, number.unsigned_abs(), 0))
    }

    /// Exactly the number that the bits stand for.
    pub fn exactly(number: f64) -> Self {
        if number.is_nan() {
            return Self::NaN;
        }
        let negative = number.is_sign_negative();
        if number.is_infinite() {
            return Self::Infinity { negative };
        }
        let bits = number.to_bits();
        let (field, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
        let (mantissa, power) =
            if field == 0 { (fraction, -1074) } else { (fraction | (1 << 52), i64::try_from(field).unwrap_or_default() - 1075) };
        let spare = if power < 0 { i64::from(mantissa.trailing_zeros()).min(63).min(-power) } else { 0 };
        let (mantissa, power) = (BigUint::from(mantissa >> spare), power + spare);
        let places = u32::try_from(power.unsigned_abs()).unwrap_or_default();
        Self::Finite(if power >= 0 {
            Finite::new(negative, mantissa << places, 0)
        } else {
            Finite::new(negative, mantissa * BigUint::from(5_u32).pow(places), power)
        })
    }

    /// `Decimal(text)`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        match unsigned.to_ascii_lowercase().as_str() {
            "nan" => return Some(Self::NaN),
            "inf" | "infinity" => return Some(Self::Infinity { negative }),
            _ => {}
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: BigUint = [whole, fraction].concat().parse().ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.checked_sub(places).filter(|exponent| exponent.abs() <= WIDEST)?;
        Some(Self::Finite(Finite { negative, digits, exponent }))
    }

    pub fn float(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    pub fn finite(&self) -> Option<&Finite> {
        if let Self::Finite(number) = self { Some(number) } else { None }
    }

    pub fn is_zero(&self) -> bool {
        self.finite().is_some_and(Finite::is_zero)
    }

    /// As a whole number, if it is one that is not too large.
    pub fn as_whole(&self) -> Option<i128> {
        let number = self.finite().filter(|number| number.is_whole())?;
        signed(number.truncated())
    }

    /// Without its fraction.
    pub fn truncated(&self) -> Option<i128> {
        signed(self.finite()?.truncated())
    }

    pub fn plus(&self, other: &Self) -> Result<Self, Signal> {
        self.with(other, |left, right| Ok(left.plus(right)), |left, right| left + right)
    }

    pub fn minus(&self, other: &Self) -> Result<Self, Signal> {
        self.plus(&other.negated())
    }

    pub fn times(&self, other: &Self) -> Result<Self, Signal> {
        self.with(other, |left, right| Ok(left.times(right)), |left, right| left * right)
    }

    pub fn divided(&self, other: &Self) -> Result<Self, Signal> {
        self.with(other, Finite::divided, |left, right| left / right)
    }

    pub fn floor_divided(&self, other: &Self) -> Result<Self, Signal> {
        self.with(other, |left, right| Ok(left.divided_whole(right)?.0), |left, right| (left / right).trunc())
    }

    pub fn remainder(&self, other: &Self) -> Result<Self, Signal> {
        self.with(other, |left, right| Ok(left.divided_whole(right)?.1), |left, right| left % right)
    }

    /// To a whole power; others are not known here.
    pub fn power(&self, exponent: &Self) -> Result<Self, Signal> {
        if matches!(self, Self::NaN) || matches!(exponent, Self::NaN) {
            return Ok(Self::NaN);
        }
        let whole = exponent.as_whole().and_then(|whole| i64::try_from(whole).ok());
        self.with(exponent, |left, _| left.power(whole.ok_or(Signal::InvalidOperation)?), f64::powf)
    }

    /// The other sign, digits as they are.
    fn negated(&self) -> Self {
        match self {
            Self::Finite(number) => Self::Finite(Finite { negative: !number.negative, ..number.clone() }),
            Self::Infinity { negative } => Self::Infinity { negative: !negative },
            Self::NaN => Self::NaN,
        }
    }

    /// `-number`: zero has no sign.
    #[must_use]
    pub fn opposite(&self) -> Self {
        match self.negated() {
            Self::Finite(number) => Self::Finite(Finite { negative: number.negative && !number.is_zero(), ..number }.rounded()),
            special => special,
        }
    }

    #[must_use]
    pub fn absolute(&self) -> Self {
        match self {
            Self::Finite(number) => Self::Finite(Finite { negative: false, ..number.clone() }.rounded()),
            Self::Infinity { .. } => Self::Infinity { negative: false },
            Self::NaN => Self::NaN,
        }
    }

    /// With so many places after the point, fewer than none being possible; only a finite number has them.
    pub fn with_places(&self, places: i64) -> Option<Self> {
        let number = self.finite().filter(|_| places.abs() <= WIDEST)?;
        Some(Self::Finite(number.rescaled(-places)))
    }

    /// The order of two numbers; NaN has none.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::NaN, _) | (_, Self::NaN) => None,
            (Self::Finite(left), Self::Finite(right)) => Some(left.order(right)),
            _ => self.float().partial_cmp(&other.float()),
        }
    }

    fn with(
        &self,
        other: &Self,
        finite: impl FnOnce(&Finite, &Finite) -> Result<Finite, Signal>,
        special: impl FnOnce(f64, f64) -> f64,
    ) -> Result<Self, Signal> {
        match (self, other) {
            (Self::Finite(left), Self::Finite(right)) => finite(left, right).map(Self::Finite),
            (Self::NaN, _) | (_, Self::NaN) => Ok(Self::NaN),
            _ => match special(self.float(), other.float()) {
                result if result.is_nan() => Err(Signal::InvalidOperation),
                result => Ok(Self::exactly(result)),
            },
        }
    }
}

fn signed((negative, digits): (bool, BigUint)) -> Option<i128> {
    let size = i128::try_from(digits).ok()?;
    Some(if negative { -size } else { size })
}

/// Python's `str`: plain, or with an exponent where zeros would have to be made up or the number is tiny.
impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = match self {
            Self::NaN => return out.write_str("NaN"),
            Self::Infinity { negative } => return out.write_str(if *negative { "-Infinity" } else { "Infinity" }),
            Self::Finite(number) => number,
        };
        let digits = number.digits.to_string();
        let length = i64::try_from(digits.len()).unwrap_or_default();
        let left = number.exponent + length;
        let point = if number.exponent <= 0 && left > -6 { left } else { 1 };
        let sign = if number.negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        let plain = if point <= 0 {
            format!("0.{}{digits}", zeros(-point))
        } else if point >= length {
            format!("{digits}{}", zeros(point - length))
        } else {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
            format!("{whole}.{fraction}")
        };
        out.write_str(sign)?;
        out.write_str(&plain)?;
        if left == point { Ok(()) } else { write!(out, "E{:+}", left - point) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a decimal")
    }

    /// What Python 3.11 gives for each of these.
    #[test]
    fn arithmetic_is_pythons() {
        type Operation = fn(&Decimal, &Decimal) -> Result<Decimal, Signal>;
        let cases: [(&str, Operation, &str, &str); 20] = [
            ("2.50", Decimal::plus, "1", "3.50"),
            ("1E+20", Decimal::plus, "1", "100000000000000000001"),
            ("1", Decimal::minus, "2.50", "-1.50"),
            ("0", Decimal::minus, "0.0000", "0.0000"),
            ("2.50", Decimal::times, "2", "5.00"),
            ("1E-7", Decimal::times, "2.00", "2.00E-7"),
            ("0.10000000149011612", Decimal::times, "0.10000000149011612", "0.01000000029802322622044605108"),
            ("2.50", Decimal::divided, "2", "1.25"),
            ("1", Decimal::divided, "3", "0.3333333333333333333333333333"),
            ("2", Decimal::divided, "3", "0.6666666666666666666666666667"),
            ("0.0000", Decimal::divided, "2", "0.0000"),
            ("1E+20", Decimal::divided, "2", "5E+19"),
            ("-2.5", Decimal::floor_divided, "2", "-1"),
            ("-2.5", Decimal::remainder, "2", "-0.5"),
            ("1E+20", Decimal::floor_divided, "2", "50000000000000000000"),
            ("1234567.000", Decimal::remainder, "2", "1.000"),
            ("1.1000000000", Decimal::power, "2", "1.21000000000000000000"),
            ("0.0000", Decimal::power, "2", "0"),
            ("2", Decimal::power, "-2", "0.25"),
            ("NaN", Decimal::plus, "1", "NaN"),
        ];
        for (left, operation, right, expected) in cases {
            let result = operation(&decimal(left), &decimal(right)).map(|result| result.to_string());
            assert_eq!(result.as_deref(), Ok(expected), "{left} and {right}");
        }
        assert_eq!(decimal("1").divided(&decimal("0")).map(|_| ()), Err(Signal::DivisionByZero));
    }

    #[test]
    fn decimals_print_as_pythons() {
        for text in ["0", "0.00", "1.50", "1E+20", "1.000E-7", "0.000001", "-12.5", "123456789.1000000000", "1.5E+3"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        assert_eq!(Decimal::exactly(0.1).to_string(), "0.1000000000000000055511151231257827021181583404541015625");
    }

    #[test]
    fn order_is_exact() {
        assert_eq!(decimal("2.50").order(&Decimal::exactly(2.5)), Some(Ordering::Equal));
        assert_eq!(decimal("0.1").order(&Decimal::exactly(0.1)), Some(Ordering::Less));
        assert_eq!(decimal("-3").order(&decimal("-2.5")), Some(Ordering::Less));
        assert_eq!(decimal("2.5").with_places(0).map(|whole| whole.to_string()).as_deref(), Some("2"));
        assert_eq!(decimal("123.45").with_places(-1).map(|whole| whole.to_string()).as_deref(), Some("1.2E+2"));
    }
}
