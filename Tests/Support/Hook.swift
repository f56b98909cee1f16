import Foundation
import Glibc

/// The stages of OCI at which the hook is started.
package enum Stage: String, Sendable { case createRuntime, prestart, poststop }

extension Sandbox {
  /// Starts the built hook in the host with `input` on its standard input.
  package func hook(
    _ stage: Stage?, input: String, wd: String? = nil, killAfter limit: Duration = .seconds(20),
    signal: Int32 = SIGKILL, under wrapper: [String] = []
  ) throws -> Command.Result {
    let own = try [Built.path("wirehook-oci"), "--config", configFile] + (stage.map { [$0.rawValue] } ?? [])
    var command = Command(["nsenter", "--net=\(netns)"] + (wd.map { ["--wd=\($0)"] } ?? []) + ["--"] + wrapper + own)
    command.input = Array(input.utf8)
    command.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    command.limit = limit
    command.limitSignal = signal
    return try command.run()
  }

  /// As a runtime calls it at create.
  package func tryAttach(
    _ container: Container, _ annotations: [String: String] = [:], killAfter limit: Duration = .seconds(20),
    signal: Int32 = SIGKILL, under wrapper: [String] = []
  ) throws -> Command.Result {
    try hook(
      .createRuntime, input: state(container, annotations), wd: container.bundle, killAfter: limit, signal: signal,
      under: wrapper)
  }

  /// Attaches; a failure ends the test.
  package func attach(_ container: Container, _ annotations: [String: String] = [:]) throws {
    let result = try tryAttach(container, annotations)
    guard result.succeeded else { throw Failure("attach \(container.id): \(result)") }
  }

  /// A new container, attached.
  package func started(_ id: String, _ annotations: [String: String] = [:]) throws -> Container {
    let container = try container(id)
    try attach(container, annotations)
    return container
  }

  /// As a runtime calls it after the container's end: no pid.
  package func tryDetach(
    _ id: String, bundle: String? = nil, killAfter limit: Duration = .seconds(20), signal: Int32 = SIGKILL,
    under wrapper: [String] = []
  ) throws -> Command.Result {
    let state = ["ociVersion": "1.0.2", "id": id, "status": "stopped", "bundle": bundle ?? folder]
    return try hook(.poststop, input: jsonText(state), wd: bundle, killAfter: limit, signal: signal, under: wrapper)
  }

  /// Ends the container and detaches it; a failure ends the test.
  package func stop(_ container: Container) throws {
    container.kill()
    try detach(container.id)
  }

  package func detach(_ id: String) throws {
    let result = try tryDetach(id)
    guard result.succeeded else { throw Failure("detach \(id): \(result)") }
  }

  /// The state that a runtime writes at create.
  package func state(_ container: Container, _ annotations: [String: String] = [:]) throws -> String {
    try jsonText(
      [
        "ociVersion": "1.0.2", "id": container.id, "status": "creating", "pid": Int(container.pid),
        "bundle": container.bundle, "annotations": annotations,
      ] as [String: Any])
  }

  /// `wirehook COMMAND … --config FILE`, in the host.
  package func wirehook(_ words: String...) throws -> Command.Result {
    try run([Built.path("wirehook")] + words + ["--config", configFile])
  }

  /// `wirehook ls --json`.
  package func list() throws -> [JSON] {
    let result = try wirehook("ls", "--json")
    guard result.succeeded else { throw Failure(result.description) }
    return try JSON(parsing: result.stdout).array
  }
}
