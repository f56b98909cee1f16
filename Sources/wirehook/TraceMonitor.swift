import Glibc
import WireCore
import WireLinux

/// `nft monitor trace`, which says neither when it has begun to listen nor when it has told everything: both are seen at its
/// netlink socket, in /proc/PID/net/netlink.
struct TraceMonitor: ~Copyable {
  /// How long it may take to begin, and to tell what has come.
  private static let patience = 2000

  private let process: Subprocess

  /// Starts it, and returns when what is traced reaches it.
  init() throws(WireError) {
    let started = try Subprocess(["nft", "monitor", "trace"], package: "nftables")
    let pid = started.pid
    guard Self.wait({ Self.queued(pid) != nil }) else {
      started.end()
      _ = started.wait()
      throw WireError("tracing the probe", "nft monitor does not listen", hint: "leave out --probe")
    }
    process = started
  }

  /// All that it has told of what came until now; it ends.
  consuming func finish() throws(WireError) -> String {
    let pid = process.pid
    _ = Self.wait { Self.queued(pid) == 0 && Self.sleeps(pid) }
    process.end()
    var output: [UInt8] = []
    while let chunk = try process.read() { output += chunk }
    _ = process.wait()
    return String(decoding: output, as: UTF8.self)
  }

  private static func wait(_ condition: () -> Bool) -> Bool {
    let deadline = Deadline.after(milliseconds: patience)
    while !condition() {
      guard !deadline.isOver else { return false }
      usleep(2000)
    }
    return true
  }

  /// The bytes that wait at its socket in the group of traces (`NFNLGRP_NFTRACE`, the ninth); nil: it has none yet.
  private static func queued(_ pid: pid_t) -> Int? {
    for line in text("/proc/\(pid)/net/netlink").split(separator: "\n").dropFirst() {
      let words = line.split(separator: " ")
      guard words.count > 4, words[1] == "12", words[2] == "\(pid)", let groups = UInt32(words[3], radix: 16) else {
        continue
      }
      if groups & 1 << 8 != 0 { return Int(words[4]) }
    }
    return nil
  }

  private static func sleeps(_ pid: pid_t) -> Bool {
    text("/proc/\(pid)/stat").split(separator: ")").last?.hasPrefix(" S") ?? false
  }

  private static func text(_ path: String) -> String {
    do throws(SystemError) {
      return String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
    } catch {
      return ""
    }
  }
}
