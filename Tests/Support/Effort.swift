import Foundation

/// How much the tests that could try everything do try: a sample that differs from run to run, or with `WIREHOOK_LONG=1`
/// all of it. `WIREHOOK_SEED` repeats the sample of a run, and its random choices.
package enum Effort {
  package static let isLong = ProcessInfo.processInfo.environment["WIREHOOK_LONG"] == "1"

  /// Printed when first asked for, so that a failure can be run again.
  package static let seed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["WIREHOOK_SEED"].flatMap(UInt64.init)
    let seed = given ?? UInt64(Date.now.timeIntervalSince1970)
    print("WIREHOOK_SEED=\(seed)")
    return seed
  }()

  /// How many rounds: `few`, or `many` in a long run.
  package static func rounds(_ few: Int, long many: Int) -> Int { isLong ? many : few }

  /// Every `step`-th of `all` from a place that the seed and `salt` choose; everything in a long run.
  package static func sample<Element>(_ all: [Element], every step: Int, salt: Int = 0) -> [Element] {
    guard !isLong, step > 1 else { return all }
    var dice = Dice(seed: seed &+ UInt64(truncatingIfNeeded: salt))
    return stride(from: Int.random(in: 0..<step, using: &dice), to: all.count, by: step).map { all[$0] }
  }
}

/// Random numbers that are the same for the same seed (SplitMix64).
package struct Dice: RandomNumberGenerator, Sendable {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
