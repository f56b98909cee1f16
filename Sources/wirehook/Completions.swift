import ArgumentParser
import WireCore
import WireEngine
import WirePlan

/// What a shell offers when the tab key is pressed: asked of this very program, so it is what is there now.
enum Completions {
  /// Names of wired containers, and the ids of those that have none.
  static let containers = CompletionKind.custom { words, _, prefix in
    names(of: words, prefix: prefix) { (configuration) throws(WireError) in
      try Inventory.all(configuration).map { $0.attachment.container.owner }
    }
  }

  /// Names of configured networks.
  static let networks = CompletionKind.custom { words, _, prefix in
    names(of: words, prefix: prefix) { (configuration) throws(WireError) in
      let names = try configuration.networkNames()
      let used = try Inventory.all(configuration).flatMap { $0.attachment.interfaces.map { $0.network } }
      return names + Set(used).subtracting(names)
    }
  }

  /// Nothing is offered where nothing can be read: a shell has no place for an error. A name that a shell would take for
  /// more than a word is not offered either.
  private static func names(
    of words: [String], prefix: String, _ read: (Configuration) throws(WireError) -> [String]
  ) -> [String] {
    let option = words.firstIndex(of: "--config").flatMap { index in index + 1 < words.count ? words[index + 1] : nil }
    do throws(WireError) {
      let configuration = try Configuration.load(option: option, environment: Environment.value("WIREHOOK_CONFIG"))
      return try read(configuration).filter { name in
        name.hasPrefix(prefix) && name.utf8.allSatisfy { isPlain($0) }
      }.sorted()
    } catch {
      return []
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._-".utf8.contains(byte)
    }
  }
}
