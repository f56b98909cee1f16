extension HookInjection {
  /// The limit in seconds that runtimes get for our hook: well above our own deadline, which gives the better error.
  package static let timeout: Int64 = 30

  /// The two entries of wirehook: at createRuntime, or at prestart for runtimes that lack it, and at poststop. `hook` is
  /// the absolute path of wirehook-oci, `configuration` that of the main file where it is not the standard one.
  package static func own(hook: String, configuration: String?, prestart: Bool = false) -> HookInjection {
    let options = configuration.map { ["--config", $0] } ?? []
    let stages: [HookStage] = [prestart ? .prestart : .createRuntime, .poststop]
    return HookInjection(
      stages.map { stage in
        HookEntry(stage, path: hook, args: ["wirehook-oci"] + options + [stage.rawValue], timeout: timeout)
      })
  }
}
