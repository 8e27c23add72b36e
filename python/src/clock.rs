//! Moments as Python counts them: seconds since 1970, as a float.

use authgate_core::Timestamp;

/// The moment that `seconds` tell, if they tell one. What falls between two milliseconds is the earlier one, as with the
/// system's clock.
pub(crate) fn moment(seconds: f64) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation, reason = "beyond the range of a clock it is the end of time")]
    seconds.is_finite().then(|| Timestamp::from_millis((seconds * 1000.0).floor() as i64))
}

/// The seconds that tell `moment`; exact for the next 280 000 years.
pub(crate) fn seconds(moment: Timestamp) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of 280 000 years fit")]
    {
        moment.as_millis() as f64 / 1000.0
    }
}
