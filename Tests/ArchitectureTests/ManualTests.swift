import Foundation
import Testing

/// The manual pages beside the code, and the one place of the version.
@Suite struct ManualTests {
  @Test func everySubcommandIsInItsManual() throws {
    let sources = try Repository.sources(of: "wirehook").map(Repository.text).joined()
    let names = Set(sources.matches(of: /commandName: "([a-z]+)"/).map { String($0.output.1) })
    #expect(names.count >= 14)
    // Those of a group are described under it: `network ls`.
    let page = try Repository.text("man/wirehook.1").split(separator: "\n").filter { $0.hasPrefix(".It Cm ") }
    let described = Set(page.flatMap { $0.split(separator: " ").dropFirst(2).map(String.init) })
    #expect(names.subtracting(described).sorted() == ["wirehook"], "not in man/wirehook.1")
  }

  @Test func everyAnnotationIsInTheHooksManual() throws {
    let page = try Repository.text("man/wirehook-oci.8")
    let keys = try Repository.text("docs/annotations.md").matches(of: /(?m)^## `wirehook\.([a-z-]+)`/)
    #expect(keys.count >= 16)
    for key in keys.map(\.output.1) { #expect(page.contains("\n.It Cm wirehook.\(key) "), "wirehook.\(key)") }
  }

  @Test func theVersionHasItsChapterInTheChanges() throws {
    let code = try Repository.text("Sources/WireEngine/Version.swift")
    let version = try #require(code.firstMatch(of: /text = "([0-9.]+)"/)).output.1
    let chapter = try #require(try Repository.text("CHANGELOG.md").firstMatch(of: /(?m)^## ([0-9.]+)/)).output.1
    #expect(version == chapter)
  }
}
