import Glibc
import WireCore
import WireLinux

/// Another program, run by a command for people; the hook never does.
struct Subprocess: ~Copyable {
  let pid: pid_t
  private let output: Descriptor
  private let name: String

  /// Starts it with `input` on its standard input, which must fit a pipe; its standard error is ours. `package` is where
  /// to get it.
  init(_ words: [String], input: String = "", package: String) throws(WireError) {
    let name = words.first ?? ""
    var argv = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var (toChild, fromChild): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
      throw WireError("starting \(name)", SystemError.text(errno))
    }
    // What the child needs of them it gets as 0 and 1.
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let childInput = Descriptor(adopting: toChild[0])
    let ourEnd = Descriptor(adopting: toChild[1])
    let childOutput = Descriptor(adopting: fromChild[1])
    let ourOutput = Descriptor(adopting: fromChild[0])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, childInput.raw, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, childOutput.raw, STDOUT_FILENO)
    var child: pid_t = 0
    let failure = posix_spawnp(&child, name, &actions, nil, &argv, environ)
    guard failure == 0 else {
      throw WireError(
        "starting \(name)", SystemError.text(failure), hint: failure == ENOENT ? "install the package \(package)" : nil)
    }
    self.name = name
    pid = child
    output = ourOutput
    _ = Glibc.write(ourEnd.raw, input, input.utf8.count)
  }

  /// What is there of its output; nil at the end.
  borrowing func read() throws(WireError) -> [UInt8]? {
    let raw = output.raw
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let count = chunk.withUnsafeMutableBytes { buffer in
      retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }
    guard count >= 0 else { throw WireError("reading from \(name)", SystemError.text(errno)) }
    return count == 0 ? nil : Array(chunk.prefix(count))
  }

  /// Ends it at once; what it has written can still be read.
  borrowing func end() { kill(pid, SIGKILL) }

  /// Waits for its end; its exit code, or 128 and the signal's number.
  consuming func wait() -> Int32 {
    var status: Int32 = 0
    let pid = pid
    _ = retrying { waitpid(pid, &status, 0) }
    let signal = status & 0x7f
    return signal == 0 ? status >> 8 & 0xff : 128 + signal
  }

  /// Runs it to its end: all of its output, and its exit code.
  static func run(
    _ words: [String], input: String = "", package: String
  ) throws(WireError) -> (output: [UInt8], code: Int32) {
    let process = try Subprocess(words, input: input, package: package)
    var output: [UInt8] = []
    while let chunk = try process.read() { output += chunk }
    return (output, process.wait())
  }
}
