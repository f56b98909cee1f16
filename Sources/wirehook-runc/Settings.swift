internal import Glibc
import WireConfig
import WireCore
import WireJSON
import WireLinux

/// What the shim needs of the main file. A main file that cannot be used stops no container that does not ask for us,
/// so what is wrong with it is kept instead of thrown.
struct Settings {
  var main = MainConfig.standard
  /// The main file's path, absolute, where it was named; nil: the standard one.
  var named: String?
  var problem: WireError?

  var path: String { named ?? MainConfig.standardPath }

  /// `whole`: all of the main file, for a command that makes a container. The others need only the runtime's name.
  static func load(option: String?, environment: String?, whole: Bool) -> Settings {
    var settings = Settings()
    let named = option ?? environment.flatMap { $0.isEmpty ? nil : $0 }
    do throws(SystemError) {
      // The hook runs elsewhere, where a relative path would be another file.
      settings.named = try named.map { (path) throws(SystemError) in try Files.resolved(path) }
      let bytes = try Files.readTrusted(settings.path, limit: MainConfig.fileLimit)
      settings.read(bytes, whole: whole)
    } catch {
      if named != nil || error.errno != ENOENT {
        settings.problem = WireError("reading the main file", error.description)
      }
    }
    return settings
  }

  private mutating func read(_ bytes: [UInt8], whole: Bool) {
    if whole {
      do throws(WireError) {
        main = try MainConfig(json: try Self.parse(bytes, path), file: path)
        return
      } catch {
        problem = error
      }
    }
    // One mistake elsewhere in the file must not turn crun's containers into runc's.
    let only = try? JSONValue.parse(bytes, limits: .configuration, duplicates: .lastWins, only: [["runtime"]])
    if case .string(let name)? = only?["runtime"], !name.isEmpty { main.runtime = name }
  }

  private static func parse(_ bytes: [UInt8], _ file: String) throws(WireError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(bytes, limits: .configuration, duplicates: .refuse)
    } catch {
      throw error.wireError(in: file)
    }
  }
}
