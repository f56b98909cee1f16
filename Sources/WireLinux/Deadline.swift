internal import Glibc

/// A moment after which nothing more is waited for, on the clock that no one can set (`CLOCK_MONOTONIC`).
package struct Deadline: Sendable, Hashable, Comparable {
  /// Milliseconds of the monotonic clock.
  package let moment: Int64

  /// Waits for ever: for tests and for people at a terminal.
  package static let never = Deadline(moment: .max)

  package static func after(milliseconds: Int) -> Deadline {
    let (moment, overflow) = now().addingReportingOverflow(Int64(max(0, milliseconds)))
    return overflow ? .never : Deadline(moment: moment)
  }

  package var isOver: Bool { self != .never && Self.now() >= moment }

  /// Milliseconds left, 0 when it is over; at most `Int32.max`.
  package var remaining: Int32 {
    guard self != .never else { return .max }
    return Int32(clamping: max(0, moment - Self.now()))
  }

  package static func < (left: Deadline, right: Deadline) -> Bool { left.moment < right.moment }

  /// Waits until the descriptor is ready for `events` (poll(2)); false when the deadline came first.
  package func wait(for descriptor: Int32, _ events: Int32) throws(SystemError) -> Bool {
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
      let ready = poll(&entry, 1, self == .never ? -1 : remaining)
      if ready > 0 { return true }
      if ready == 0, isOver { return false }
      if ready < 0, errno != EINTR { throw SystemError("poll", errno) }
    }
  }

  private static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
