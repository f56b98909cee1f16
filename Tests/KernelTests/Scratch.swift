import CLinux
import Glibc
import WireLinux

/// A directory that goes with the test.
struct Scratch: ~Copyable {
  let path: String

  init() throws {
    var template = Array("/tmp/wirehook-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno) }
    path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  deinit { _ = Glibc.system("rm -rf '\(path)'") }
}

/// A forked process that does nothing until it is killed.
struct Child: ~Copyable {
  let pid: Int32

  init(locking path: String? = nil, at offset: UInt64 = 0, type: Int16 = Int16(F_WRLCK)) throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemError("pipe", errno) }
    let file = path.map { open($0, O_RDWR) } ?? -1
    let position = Int64(offset)
    let (input, output) = (ends[0], ends[1])
    let child = fork()
    if child == 0 {
      if file >= 0 { _ = clinux_lock(file, type, position) }
      write(output, "x", 1)
      while true { pause() }
    }
    guard child > 0 else { throw SystemError("fork", errno) }
    pid = child
    var byte: UInt8 = 0
    read(input, &byte, 1)
    for end in [input, output] { close(end) }
    // Not `file`: closing it would drop this process's own locks of the same file.
  }

  func wait() {
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  /// From another process, in a moment.
  func killSoon() { _ = Glibc.system("(sleep 0.05; kill -9 \(pid)) &") }

  deinit { kill(pid, SIGKILL) }
}
