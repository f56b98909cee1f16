package import WireConfig
package import WireCore
import WireJSON
internal import Glibc
import WireLinux

/// The main file, and the networks beside it. A network's file is read only when a container asks for that network.
package struct Configuration: Sendable {
  package let main: MainConfig
  /// The main file, whether or not it is there.
  package let path: String

  package static let standardPath = MainConfig.standardPath

  /// The folder of the networks' files.
  package var networksDirectory: String {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    return folder + "/networks.d"
  }

  /// Loads the main file: the one named, else the one that the environment names, else the standard one, which alone may
  /// be missing.
  package static func load(option: String?, environment: String?) throws(WireError) -> Configuration {
    let named = option ?? environment.flatMap { $0.isEmpty ? nil : $0 }
    let path = named ?? standardPath
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Files.readTrusted(path, limit: fileLimit)
    } catch {
      guard named == nil, error.errno == ENOENT else { throw Hints.explain(error, while: "reading the main file") }
      return Configuration(main: .standard, path: path)
    }
    return Configuration(main: try MainConfig(json: try parse(bytes, path), file: path), path: path)
  }

  /// The network of that name; the built-in default network is not one of these.
  package func network(named name: String) throws(WireError) -> Network? {
    let file = "networks.d/\(name).json"
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Directory(trusted: networksDirectory).readTrusted("\(name).json", limit: Self.fileLimit)
    } catch {
      guard error.errno == ENOENT else { throw Hints.explain(error, while: "reading \(file)") }
      return nil
    }
    var network = try Network(json: try Self.parse(bytes, file), file: file)
    guard network.name == name else {
      throw WireError(
        "\(file): name \(network.name.quoted)", "expected \(name.quoted)", hint: "a network's file is named after it")
    }
    if network.driver == .ovs, network.ovs.database == nil { network.ovs.database = main.ovsDatabase }
    return network
  }

  /// The names of all configured networks, sorted.
  package func networkNames() throws(WireError) -> [String] {
    do throws(SystemError) {
      return try Files.list(networksDirectory).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    } catch {
      guard error.errno == ENOENT else { throw Hints.explain(error, while: "listing the networks") }
      return []
    }
  }

  private static let fileLimit = MainConfig.fileLimit

  private static func parse(_ bytes: [UInt8], _ file: String) throws(WireError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(bytes, limits: .configuration, duplicates: .refuse)
    } catch {
      throw error.wireError(in: file)
    }
  }
}
