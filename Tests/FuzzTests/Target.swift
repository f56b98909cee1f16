import Support
import WireConfig
import WireCore
import WireJSON
import WireOCI
import WirePlan

@testable import WireNetlink
@testable import WireOVSDB

/// What reads bytes that others wrote. An error is a good answer; the rest is said by `Failure`.
enum Target: String, CaseIterable, Sendable, Codable {
  case state, bundle, main, network, annotations, docker, record, ovsdb, arguments, netlink

  /// Whether the bytes were read; what it throws is a promise broken.
  func read(_ bytes: [UInt8]) throws(Failure) -> Bool {
    do throws(WireError) {
      switch self {
      case .state: _ = try ContainerState.parse(bytes)
      case .bundle: return try injects(bytes)
      case .main: _ = try MainConfig(json: json(bytes), file: "wirehook.json")
      case .network: _ = try Network(json: json(bytes), file: "networks.d/front.json")
      case .annotations: _ = try ContainerRequest.parse(annotations: Self.pairs(bytes))
      case .docker: return readsDocker(bytes)
      case .record: _ = try Attachment(JSONReader(json(bytes), document: "the record"))
      case .ovsdb: return readsOVSDB(bytes)
      case .arguments: return try readsArguments(bytes)
      case .netlink: return readsNetlink(bytes)
      }
      return true
    } catch let error {
      return try judge(error)
    }
  }

  /// An error is one line without control characters, and no copy of a huge input.
  private func judge(_ error: WireError) throws(Failure) -> Bool {
    let line = error.description.utf8
    guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw Failure("not one line: \(error)") }
    guard line.count < 8192 else { throw Failure("an error of \(line.count) bytes") }
    return false
  }

  private func json(_ bytes: [UInt8]) throws(WireError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(bytes, limits: .state, duplicates: .refuse)
    } catch {
      throw error.wireError(in: "the document")
    }
  }

  /// Injecting twice is injecting once, and what was injected can be taken out again.
  private func injects(_ bytes: [UInt8]) throws(WireError) -> Bool {
    _ = try Bundle.parse(bytes)
    let injection = HookInjection([
      HookEntry(
        .createRuntime, path: "/usr/local/bin/wirehook-oci", args: ["wirehook-oci", "createRuntime"], timeout: 10),
      HookEntry(.poststop, path: "/usr/local/bin/wirehook-oci", args: ["wirehook-oci", "poststop"]),
    ])
    let once = try injection.injected(into: bytes)
    _ = try Bundle.parse(once)
    let twice = try injection.injected(into: once)
    guard once == twice else { throw WireError("a broken promise", "\u{0}injecting twice is not injecting once") }
    _ = try Bundle.parse(injection.removed(from: once))
    return true
  }

  private static func pairs(_ bytes: [UInt8]) -> [(key: String, value: String)] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  private func readsDocker(_ bytes: [UInt8]) -> Bool {
    let container = try? DockerConfig.parse(bytes)
    let host = try? DockerHostConfig.parse(bytes)
    let image = try? DockerImageDocument.parse(bytes)
    return container != nil || host != nil || image != nil
  }

  private func readsArguments(_ bytes: [UInt8]) throws(WireError) -> Bool {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    let arguments = RuntimeArguments.parse(words.map(String.init))
    guard arguments.passed.allSatisfy(words.indices.contains), arguments.passed == arguments.passed.sorted() else {
      throw WireError("a broken promise", "\u{0}words that are none: \(arguments.passed)")
    }
    return arguments.makesContainer
  }

  private func readsOVSDB(_ bytes: [UInt8]) -> Bool {
    var scanner = DocumentScanner()
    guard let end = try? scanner.end(in: bytes), end <= bytes.count else { return false }
    let limits = JSONLimits(size: DocumentScanner.sizeLimit, depth: DocumentScanner.depthLimit)
    let request = OVSDBConnection.Request(id: 1, count: 4, purpose: "a test")
    guard let message = try? JSONValue.parse(Array(bytes[..<end]), limits: limits, duplicates: .lastWins),
      let results = try? OVSDBResults(message, request, .standard)
    else { return false }
    _ = try? results.rows(0).map(SwitchRow.init)
    _ = try? results.rows(1).map(BridgeRow.init)
    let ports = (try? results.rows(2).map(PortRow.init)) ?? []
    let interfaces = (try? results.rows(3).map(InterfaceRow.init)) ?? []
    let bridges = Dictionary(ports.map { ($0.uuid, "br1") }) { $1 }
    return AttachedPort.join(bridgeOfPort: bridges, ports: ports, interfaces: interfaces).allSatisfy {
      $0.port.vlan != nil
    }
  }

  private func readsNetlink(_ bytes: [UInt8]) -> Bool {
    let read: [Any?] = [
      try? Link(message: bytes.span.bytes), try? Address(message: bytes.span.bytes),
      try? Route(message: bytes.span.bytes), try? Rule(message: bytes.span.bytes),
      try? Answer(bytes.span.bytes, flags: 0x300), try? ConntrackTuple(message: bytes.span.bytes),
    ]
    return read.contains { $0 != nil }
  }
}
