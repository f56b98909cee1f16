internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireOCI

/// Puts the hooks into the bundle's config.json, if the container may be ours.
enum Preparation {
  /// As many bytes of config.json as are read; a longer one goes to the runtime as it is.
  private static let limit = 16 << 20

  /// Throws only for a container that asks for wirehook.
  static func prepare(_ arguments: RuntimeArguments, _ settings: Settings) throws(WireError) {
    let path = arguments.specificationPath
    guard let bytes = try read(path) else { return }
    var asks = false
    do throws(WireError) {
      let bundle: Bundle
      do throws(WireError) {
        bundle = try Bundle.parse(bytes)
      } catch {
        asks = mentionsUs(bytes)
        throw error
      }
      let policy = InjectionPolicy(bundle, auto: settings.main.auto)
      guard policy != .leave else { return }
      asks = policy == .asks
      if let problem = settings.problem { throw problem }
      try inject(into: path, bytes, settings)
    } catch {
      if asks { throw error }
      Complaint.note("a container was started without wirehook: \(error)", settings)
    }
  }

  /// The file; nil where there is none that could ask: the runtime's own error is the better one. What could be read at
  /// another moment (no memory, no descriptor, a bad disk) is an error: the runtime might read it, and start the container
  /// without its network.
  private static func read(_ path: String) throws(WireError) -> [UInt8]? {
    do throws(SystemError) {
      return try Files.read(path, limit: limit)
    } catch {
      guard ![ENOENT, ENOTDIR, EACCES, EISDIR, EINVAL, ELOOP, EFBIG].contains(error.errno) else { return nil }
      throw WireError("reading \(path.quoted)", error.description)
    }
  }

  private static func inject(into path: String, _ bytes: [UInt8], _ settings: Settings) throws(WireError) {
    guard let hook = OwnProgram.sibling("wirehook-oci") else {
      throw WireError(
        "finding the hook", "there is no wirehook-oci beside \(OwnProgram.path() ?? "wirehook-runc")",
        hint: "run ./install.sh again")
    }
    let changed = try HookInjection.own(hook: hook, configuration: settings.named).injected(into: bytes)
    guard changed != bytes else { return }
    do throws(SystemError) {
      // The engine writes the bundle anew at each start: no crash of the host can make it worth a sync of the disk.
      try AtomicFile.write(changed, through: path, durable: false)
    } catch {
      throw WireError("putting the hooks into \(path.quoted)", error.description)
    }
  }

  /// Whether a text that we cannot read has an annotation of ours all the same.
  private static func mentionsUs(_ bytes: [UInt8]) -> Bool {
    let key = Array("\"wirehook.".utf8)
    var start = bytes.startIndex
    while let found = bytes[start...].firstIndex(of: UInt8(ascii: "\"")) {
      if bytes[found...].starts(with: key) { return true }
      start = found + 1
    }
    return false
  }
}
