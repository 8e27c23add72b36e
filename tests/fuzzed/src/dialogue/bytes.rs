/// Choices, read from a fuzzer's bytes: a digit chooses what stands at its place, and past the end everything is the first.
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first.wrapping_sub(b'0'))
    }

    pub(super) fn one<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.number() % choices.len()]
    }

    /// Whether bits of a number are set, the lowest first.
    pub(super) fn flags<const N: usize>(&mut self) -> [bool; N] {
        let number = self.number();
        std::array::from_fn(|bit| number >> bit & 1 == 1)
    }

    /// Text up to the end of a line, as far as it is text.
    pub(super) fn line(&mut self) -> String {
        let end = self.0.iter().position(|&byte| byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    }
}
