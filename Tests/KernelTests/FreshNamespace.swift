import CLinux
import Glibc
import WireLinux

extension NetworkNamespace {
  /// Runs the body on a thread of its own, in a network namespace of its own that dies with it: what a test does to the
  /// network it does to nobody else's.
  static func withFresh<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    try onThread {
      guard clinux_unshare(CLONE_NEWNET) == 0 else { throw SystemError("unshare", errno) }
      return try body()
    }
  }

  private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
    let box = Box(body)
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(box)
    let failure = pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<AnyBox>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard failure == 0 else { throw SystemError("pthread_create", failure) }
    pthread_join(thread, nil)
    guard let result = box.result else { throw SystemError("pthread_join", ESRCH) }
    return try result.get()
  }

  private class AnyBox {
    func run() {}
  }

  private final class Box<Value: Sendable>: AnyBox {
    var result: Result<Value, any Error>?
    private let body: @Sendable () throws -> Value

    init(_ body: @escaping @Sendable () throws -> Value) { self.body = body }

    override func run() { result = Result { try body() } }
  }
}

/// Runs a command in the network namespace of the calling thread, and answers what it wrote to its standard output.
func shell(_ command: String) throws -> String {
  guard let pipe = popen(command, "r") else { throw SystemError("popen", errno) }
  var output: [UInt8] = []
  var byte = fgetc(pipe)
  while byte != EOF {
    output.append(UInt8(truncatingIfNeeded: byte))
    byte = fgetc(pipe)
  }
  let status = pclose(pipe)
  guard status == 0 else { throw SystemError("popen", EINVAL, reason: "\(command) ended with status \(status)") }
  return String(decoding: output, as: UTF8.self)
}

let soon = Deadline.after(milliseconds: 20_000)

func unshareNetwork() -> Int32 { clinux_unshare(CLONE_NEWNET) }
