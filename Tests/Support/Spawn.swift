import Foundation
import Glibc

/// posix_spawn(3): safe beside other threads, and nothing but the descriptors given reaches the child.
package enum Spawn {
  /// Held while a pipe is not yet marked close-on-exec: a child started in that moment would keep it open.
  private static let lock = NSLock()

  /// A pipe, reading end first, that no child inherits.
  static func pipe() throws -> [Int32] {
    try lock.withLock {
      var ends: [Int32] = [0, 0]
      guard Glibc.pipe(&ends) == 0 else { throw Failure("pipe: \(String(cString: strerror(errno)))") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      return ends
    }
  }

  /// Starts a program that is found in PATH; `descriptors` become its 0, 1 and 2 (-1: /dev/null).
  package static func start(
    _ words: [String], environment: [String: String]? = nil, descriptors: [Int32] = [-1, -1, -1]
  ) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, source) in descriptors.enumerated() {
      if source < 0 {
        posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", O_RDWR, 0)
      } else {
        posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
      }
    }
    // The tests ignore SIGPIPE, and a worker thread of theirs blocks most signals; a child must not inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var pipes = sigset_t()
    sigemptyset(&pipes)
    sigaddset(&pipes, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &pipes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let argv = words.map { strdup($0) } + [nil]
    let envp = (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0)=\($1)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let failure = lock.withLock { posix_spawnp(&pid, words.first ?? "", &actions, &attributes, argv, envp) }
    guard failure == 0 else { throw Failure("\(words.first ?? ""): \(String(cString: strerror(failure)))") }
    return pid
  }
}

/// Calls `condition` until it holds or the time is over, and says which.
package func eventually(within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws -> Bool {
  let end = ContinuousClock.now + limit
  while true {
    if try condition() { return true }
    if ContinuousClock.now > end { return false }
    usleep(2_000)
  }
}

/// Runs `body` for each of `items` on threads of its own, at most `width` at a time, and gives the results in order.
package func concurrently<Item: Sendable, Outcome: Sendable>(
  _ items: [Item], width: Int, _ body: @escaping @Sendable (Item) throws -> Outcome
) throws -> [Outcome] {
  let work = Work<Outcome>(count: items.count)
  let threads = (0..<min(width, items.count)).map { _ in
    let done = DispatchSemaphore(value: 0)
    Thread {
      while let index = work.next() { work.finish(index, with: Swift.Result { try body(items[index]) }) }
      done.signal()
    }.start()
    return done
  }
  threads.forEach { $0.wait() }
  return try work.outcomes()
}

private final class Work<Outcome: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var started = 0
  private var results: [Swift.Result<Outcome, any Error>?]

  init(count: Int) { results = Array(repeating: nil, count: count) }

  func next() -> Int? {
    lock.withLock {
      guard started < results.count else { return nil }
      started += 1
      return started - 1
    }
  }
  func finish(_ index: Int, with result: Swift.Result<Outcome, any Error>) { lock.withLock { results[index] = result } }
  func outcomes() throws -> [Outcome] { try lock.withLock { try results.compactMap { try $0?.get() } } }
}
