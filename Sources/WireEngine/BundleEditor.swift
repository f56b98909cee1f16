package import WireCore
import WireLinux
import WireOCI

/// Changes a bundle's config.json in place, for people who run a runtime by hand.
package enum BundleEditor {
  /// Puts the hook in, at the stage `prestart` or createRuntime, and at poststop; false where it is in already. `config`
  /// is the main file that the hook shall use, where it is not the standard one.
  package static func inject(into bundle: String, prestart: Bool, config: String?) throws(WireError) -> Bool {
    let path = bundle + "/config.json"
    let configuration = try config.map { (file) throws(WireError) in try absolute(file) }
    let hooks = HookInjection.own(hook: try hookPath(), configuration: configuration, prestart: prestart)
    let before: [UInt8]
    do throws(SystemError) {
      before = try Files.read(path, limit: 16 << 20)
    } catch {
      throw Hints.explain(error, while: "putting the hooks into \(path)")
    }
    let after = try hooks.injected(into: before)
    guard after != before else { return false }
    do throws(SystemError) {
      try AtomicFile.write(after, through: path)
    } catch {
      throw Hints.explain(error, while: "putting the hooks into \(path)")
    }
    return true
  }

  /// The hook that was installed with this program.
  private static func hookPath() throws(WireError) -> String {
    guard let path = OwnProgram.sibling("wirehook-oci") else {
      throw WireError(
        "finding the hook", "there is no wirehook-oci beside \(OwnProgram.path() ?? "this program")",
        hint: "run ./install.sh again")
    }
    return path
  }

  /// A hook runs in the bundle or wherever its caller was, so a relative path would be another file.
  private static func absolute(_ path: String) throws(WireError) -> String {
    do throws(SystemError) {
      return try Files.resolved(path)
    } catch {
      throw Hints.explain(error, while: "the main file \(path.quoted)")
    }
  }
}
