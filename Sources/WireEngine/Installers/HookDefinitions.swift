import WireCore
import WireJSON
import WireOCI

/// The files that make engines start the hook by themselves: oci-hooks(5) definitions, and a CDI specification.
struct HookDefinitions {
  /// The absolute path of wirehook-oci.
  let hook: String
  /// The main file, where it is not the standard one.
  let configuration: String?

  /// Where Podman and CRI-O look by default (oci-hooks(5)).
  static let directory = "/usr/share/containers/oci/hooks.d"
  /// Where CDI specifications of the administrator stand.
  static let cdiFile = "/etc/cdi/wirehook.json"

  private static let stages: [HookStage] = [.createRuntime, .poststop]
  static let names = stages.map { "wirehook-\($0.rawValue).json" }

  /// The definitions by their file's name. `always`: for all containers, not only those with an annotation of ours.
  func ociHooks(always: Bool) -> [(name: String, text: String)] {
    let when: JSONValue.Member =
      always
      ? .init("always", .bool(true)) : .init("annotations", .object([.init("^wirehook\\.", .string(".*"))]))
    return zip(Self.stages, Self.names).map { stage, name in
      let definition = JSONValue.object([
        .init("version", .string("1.0.0")), .init("hook", .object(members(stage))), .init("when", .object([when])),
        .init("stages", .array([.string(stage.rawValue)])),
      ])
      return (name, JSONWriter.pretty(definition))
    }
  }

  /// A device that gives network: `--device wirehook.io/net=default`. Version 0.3.0 of CDI has all that it needs.
  func cdi() -> String {
    let hooks = Self.stages.map { stage in
      JSONValue.object([.init("hookName", .string(stage.rawValue))] + members(stage))
    }
    let device = JSONValue.object([
      .init("name", .string("default")), .init("containerEdits", .object([.init("hooks", .array(hooks))])),
    ])
    return JSONWriter.pretty(
      .object([
        .init("cdiVersion", .string("0.3.0")), .init("kind", .string("wirehook.io/net")),
        .init("devices", .array([device])),
      ]))
  }

  private func members(_ stage: HookStage) -> [JSONValue.Member] {
    let arguments = ["wirehook-oci"] + (configuration.map { ["--config", $0] } ?? []) + [stage.rawValue]
    return [
      .init("path", .string(hook)), .init("args", .array(arguments.map(JSONValue.string))),
      .init("timeout", .integer(HookInjection.timeout)),
    ]
  }
}
