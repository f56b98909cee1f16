/// argv as strings, without `CommandLine.arguments`: that costs a hook more than reading its configuration.
enum Arguments {
  static func all() -> [String] {
    var arguments: [String] = []
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[index] else { break }
      arguments.append(String(cString: argument))
    }
    return arguments
  }
}
