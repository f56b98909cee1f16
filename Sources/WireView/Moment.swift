/// Moments as people and logs write them: RFC 3339, or how long ago. Seconds since 1970, UTC.
package enum Moment {
  /// Reads `10m`, `1h30m`, `2d`, `@1764067328`, `2026-11-25`, `2026-11-25T10:42`, `2026-11-25T10:42:08Z`, `…+01:00`; a time
  /// without zone is UTC, as the log's are.
  package static func parse(_ text: String, now: Int64) -> Int64? {
    if text.hasPrefix("@") { return Int64(text.dropFirst()) }
    if let ago = duration(text) { return now - ago }
    return timestamp(text)
  }

  package static let expectation = "how long ago (90s, 10m, 1h30m, 2d) or a time such as 2026-11-25T10:42:08Z"

  /// Seconds of `1h30m`.
  package static func duration(_ text: String) -> Int64? {
    var total: Int64 = 0
    var number: Int64?
    for character in text {
      if let digit = character.wholeNumberValue, character.isASCII {
        let (next, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
        guard !overflow, next < 1 << 32 else { return nil }
        number = next + Int64(digit)
        continue
      }
      guard let unit = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800][character] as Int64?, let count = number
      else { return nil }
      total += count * unit
      number = nil
    }
    return number == nil && !text.isEmpty ? total : nil
  }

  /// Seconds of an RFC 3339 timestamp; a space may stand for the `T`, and fractions are dropped.
  package static func timestamp(_ text: String) -> Int64? {
    var rest = Substring(text)
    guard let year = number(&rest, 4), skip(&rest, "-"), let month = number(&rest, 2), skip(&rest, "-"),
      let day = number(&rest, 2), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let midnight = days(year, month, day) * 86_400
    guard !rest.isEmpty else { return midnight }
    guard skip(&rest, "T") || skip(&rest, "t") || skip(&rest, " "), let hour = number(&rest, 2), skip(&rest, ":"),
      let minute = number(&rest, 2), hour < 24, minute < 60
    else { return nil }
    var seconds: Int64 = 0
    if skip(&rest, ":") {
      guard let given = number(&rest, 2), given <= 60 else { return nil }
      seconds = given
      if skip(&rest, ".") { rest = rest.drop { $0.isASCII && $0.isNumber } }
    }
    guard let offset = offset(rest) else { return nil }
    return midnight + hour * 3600 + minute * 60 + seconds - offset
  }

  /// RFC 3339 text of a moment.
  package static func text(_ moment: Int64) -> String {
    let seconds = ((moment % 86_400) + 86_400) % 86_400
    var (year, month, day) = (Int64(0), Int64(0), Int64(0))
    (year, month, day) = date((moment - seconds) / 86_400)
    let two = { (number: Int64) in number < 10 ? "0\(number)" : "\(number)" }
    return "\(year)-\(two(month))-\(two(day))T\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
  }

  /// Seconds east of UTC: `Z`, nothing, `+01:00`.
  private static func offset(_ text: Substring) -> Int64? {
    var rest = text
    if rest.isEmpty || rest == "Z" || rest == "z" { return 0 }
    guard let sign = rest.first.flatMap({ ["+": 1, "-": -1][$0] as Int64? }) else { return nil }
    rest.removeFirst()
    guard let hours = number(&rest, 2), skip(&rest, ":"), let minutes = number(&rest, 2), rest.isEmpty else {
      return nil
    }
    return sign * (hours * 3600 + minutes * 60)
  }

  private static func number(_ text: inout Substring, _ digits: Int) -> Int64? {
    let part = text.prefix(digits)
    guard part.count == digits, part.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    text = text.dropFirst(digits)
    return Int64(part)
  }

  private static func skip(_ text: inout Substring, _ character: Character) -> Bool {
    guard text.first == character else { return false }
    text.removeFirst()
    return true
  }

  /// Days since 1970 in the Gregorian calendar, whose years are counted from March so that the leap day is the last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }

  private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
    // Counted from 1 March of year 0, in eras of 400 years.
    let count = days + 719_468
    let (era, rest) = (count / 146_097, count % 146_097)
    let year = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365
    let dayOfYear = rest - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let isAfterNewYear = month >= 10
    return (era * 400 + year + (isAfterNewYear ? 1 : 0), month + (isAfterNewYear ? -9 : 3), day)
  }
}
