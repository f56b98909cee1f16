internal import Glibc
package import WireCore
import WireLinux
import WireOCI

/// Changes a bundle's config.json in place, for people who run a runtime by hand.
package enum BundleEditor {
  /// The hook's time limit in seconds, for the runtime: well above our own deadline, which gives the better error.
  private static let timeout: Int64 = 30

  /// Puts the hook in, at the stage `prestart` or createRuntime, and at poststop; false where it is in already. `config`
  /// is the main file that the hook shall use, where it is not the standard one.
  package static func inject(into bundle: String, prestart: Bool, config: String?) throws(WireError) -> Bool {
    let path = bundle + "/config.json"
    let options = try config.map { (file) throws(WireError) in ["--config", try absolute(file)] } ?? []
    let hook = try hookPath()
    let entries: [HookEntry] = [
      entry(prestart ? .prestart : .createRuntime, hook, options), entry(.poststop, hook, options),
    ]
    let before: [UInt8]
    do throws(SystemError) {
      before = try Files.read(path, limit: 16 << 20)
    } catch {
      throw Hints.explain(error, while: "putting the hooks into \(path)")
    }
    let after = try HookInjection(entries).injected(into: before)
    guard after != before else { return false }
    do throws(SystemError) {
      try AtomicFile.write(after, to: "config.json", in: Directory(bundle))
    } catch {
      throw Hints.explain(error, while: "putting the hooks into \(path)")
    }
    return true
  }

  private static func entry(_ stage: HookStage, _ hook: String, _ options: [String]) -> HookEntry {
    HookEntry(stage, path: hook, args: ["wirehook-oci"] + options + [stage.rawValue], timeout: timeout)
  }

  /// The hook that was installed with this program.
  private static func hookPath() throws(WireError) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let own = count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? ""
    let path = folder + "/wirehook-oci"
    guard Files.exists(path) else {
      throw WireError("finding the hook", "there is no \(path)", hint: "run ./install.sh again")
    }
    return path
  }

  /// A hook runs in the bundle or wherever its caller was, so a relative path would be another file.
  private static func absolute(_ path: String) throws(WireError) -> String {
    guard let resolved = realpath(path, nil) else {
      throw WireError("the main file \(path.quoted)", SystemError.text(errno))
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
