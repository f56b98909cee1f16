import Foundation
import Testing

/// The schemas that ship with the project, and what they are for.
private enum Schema: String, CaseIterable {
  case main = "docs/schema/wirehook.schema.json"
  case network = "docs/schema/network.schema.json"

  /// The names of the keys that such a file may hold.
  func keys() throws -> Set<String> {
    let document = try JSONSerialization.jsonObject(with: Data(Repository.text(rawValue).utf8)) as? [String: Any]
    return Set(try #require(document?["properties"] as? [String: Any]).keys)
  }

  /// The kind of file that a JSON text is: only a network file names its bridge, driver or subnets, only a main file
  /// what the others have not; anything else (hooks, output of a command) is neither.
  init?(of text: String) throws {
    let document = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    guard let keys = (document as? [String: Any]).map({ Set($0.keys) }) else { return nil }
    if !keys.isDisjoint(with: ["driver", "bridge", "subnets"]) {
      self = .network
    } else if !keys.isDisjoint(with: ["state_dir", "default_network", "auto", "runtime", "log", "timeout_ms", "policy"])
    {
      self = .main
    } else {
      return nil
    }
  }

  /// What Python's validator has against the text; empty when it is valid.
  func complaints(about text: String) throws -> String {
    let script = """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1]))
      kind = jsonschema.validators.validator_for(schema)
      kind.check_schema(schema)
      for error in kind(schema).iter_errors(json.load(sys.stdin)):
          print(error.json_path, error.message)
      """
    let path = Repository.root.appending(path: rawValue).path
    let result = try Tools.run(["python3", "-c", script, path], input: Data(text.utf8))
    try #require(result.code == 0, "\(result.error)")
    return result.output
  }
}

private func jsonBlocks() -> [CodeBlock] {
  // A page that cannot be read is another test's business.
  let pages = (try? Repository.pages()) ?? []
  return pages.flatMap { (try? Markdown.blocks(of: $0)) ?? [] }.filter { $0.language == "json" }
}

@Suite struct DocumentationTests {
  @Test func everyPageIsThere() throws {
    for page in try Repository.pages() { #expect(try !Repository.text(page).isEmpty) }
  }

  @Test func everyLinkLeadsToAFile() throws {
    for page in try Repository.pages() {
      let folder = Repository.root.appending(path: page).deletingLastPathComponent()
      for link in try Markdown.links(of: page) {
        #expect(FileManager.default.fileExists(atPath: folder.appending(path: link).path), "\(page) links to \(link)")
      }
    }
  }

  @Test(.enabled(if: Tools.hasJSONSchema, "needs python3-jsonschema"), arguments: jsonBlocks())
  func anExampleOfAPageIsValid(_ block: CodeBlock) throws {
    guard let schema = try Schema(of: block.text) else { return }
    #expect(try schema.complaints(about: block.text) == "")
  }

  @Test(
    .enabled(if: Tools.hasJSONSchema, "needs python3-jsonschema"),
    arguments: ["etc/wirehook.json.example", "etc/networks.d/front.json.example"])
  func anInstalledExampleIsValidWithoutItsComments(_ file: String) throws {
    let lines = try Repository.text(file).split(separator: "\n").filter { !$0.trimmingPrefix(/\s*/).hasPrefix("//") }
    let text = lines.joined(separator: "\n")
    let schema = try #require(try Schema(of: text))
    #expect(try schema.complaints(about: text) == "")
  }

  @Test(.enabled(if: Tools.hasJSONSchema, "needs python3-jsonschema"))
  func theValidatorSeesAMistake() throws {
    #expect(try Schema.network.complaints(about: #"{"name": "front", "driver": "bridge", "subnet": []}"#) != "")
    #expect(try Schema.main.complaints(about: #"{"auto": "yes"}"#) != "")
  }

  @Test func aKeyOfTheFilesIsInThePageAndInTheSchema() throws {
    let page = try Markdown.keys(of: "docs/networks.md")
    let schemas = try Schema.main.keys().union(Schema.network.keys()).subtracting(["$schema"])
    #expect(schemas.subtracting(page).sorted() == [], "in the schemas, not in docs/networks.md")
  }

  /// docs/annotations.md has one heading a key; the code names each in WireConfig.
  @Test func anAnnotationIsInThePageAndInTheCode() throws {
    let page = try Repository.text("docs/annotations.md")
    let headings = page.split(separator: "\n").filter { $0.hasPrefix("## `wirehook.") }
    let documented = Set(headings.flatMap { $0.matches(of: /wirehook\.([a-z-]+)/).map { String($0.output.1) } })
    #expect(documented.count >= 11)
    let code = try Repository.sources(of: "WireConfig").map(Repository.text).joined()
    for key in documented.sorted() {
      // `"ports"`, `"wirehook.ports"` or `case ports`, as the code likes it.
      let spelled = try Regex(#"("(wirehook\.)?\#(key)"|\bcase\b[^\n/]*\b\#(key)\b)"#)
      #expect(code.firstMatch(of: spelled) != nil, "wirehook.\(key) is in docs/annotations.md, not in WireConfig")
    }
    let table = Set(try Markdown.keys(of: "README.md").filter { $0.hasPrefix("wirehook.") }.map { $0.dropFirst(9) })
    #expect(table.map(String.init).sorted() == documented.sorted(), "README's table and docs/annotations.md")
  }
}
