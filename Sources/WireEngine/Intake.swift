internal import Glibc
package import WireConfig
package import WireCore
package import WireLinux
package import WireOCI

/// What an OCI runtime hands to a hook: the state on standard input, the bundle beside it.
package enum Intake {
  /// The longest state that is read, in bytes.
  private static let stateLimit = 4 << 20
  private static let bundleLimit = 16 << 20

  /// Reads the container's state from standard input, to its end.
  package static func state(until deadline: Deadline) throws(WireError) -> ContainerState {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Files.readToEnd(of: STDIN_FILENO, limit: stateLimit, deadline: deadline)
    } catch {
      switch error.errno {
      case EFBIG: throw WireError("reading the container's state", "it is longer than \(stateLimit >> 20) MiB")
      case ETIMEDOUT:
        throw WireError(
          "reading the container's state", "standard input did not end in time",
          hint: "this is an OCI hook: a runtime starts it and writes the state")
      default: throw Hints.explain(error, while: "reading the container's state")
      }
    }
    guard !bytes.isEmpty else {
      throw WireError(
        "reading the container's state", "standard input is empty",
        hint: "this is an OCI hook: a runtime starts it and writes the state")
    }
    return try ContainerState.parse(bytes)
  }

  /// Reads what matters of the bundle's config.json; nil where there is none and the state says enough without.
  package static func bundle(of state: ContainerState) throws(WireError) -> Bundle? {
    guard let directory = state.bundle else {
      guard state.annotations.isEmpty else { return nil }
      throw WireError("the container's state", "it names no bundle", hint: "expected the key \"bundle\"")
    }
    let path = directory + "/config.json"
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Files.read(path, limit: bundleLimit)
    } catch {
      // A container whose state has our annotations can be wired without its bundle.
      if error.errno == ENOENT, state.annotations.contains(where: { AnnotationKey.isOurs($0.key) }) { return nil }
      throw Hints.explain(error, while: "reading the bundle")
    }
    return try Bundle.parse(bytes)
  }

  /// What the engine knows of the container; nil where it cannot be found out, for a container that does not ask for us:
  /// it then starts as if we were not there.
  package static func engine(
    of state: ContainerState, _ bundle: Bundle?, policy: Policy, log: Log
  ) throws(WireError) -> EngineFacts? {
    let facts: EngineFacts
    do throws(WireError) {
      facts = try EngineFacts.read(state, bundle, policy: policy)
    } catch {
      let annotations = state.annotations + (bundle?.annotations ?? [])
      guard !annotations.contains(where: { AnnotationKey.isOurs($0.key) }) else { throw error }
      log.write(.warning, "left container \(state.id) alone: \(error)")
      return nil
    }
    if let failure = facts.labelsFailure { throw failure }
    return facts
  }

  /// What the container asks for: the state's annotations, the bundle's that the state lacks, and the labels that both
  /// lack.
  package static func request(
    _ state: ContainerState, _ bundle: Bundle?, labels: [(key: String, value: String)] = []
  ) throws(WireError) -> ContainerRequest {
    var annotations = state.annotations
    for annotation in (bundle?.annotations ?? []) + labels
    where !annotations.contains(where: { $0.key == annotation.key }) {
      annotations.append(annotation)
    }
    return try ContainerRequest.parse(annotations: annotations)
  }
}
