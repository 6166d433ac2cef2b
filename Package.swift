// swift-tools-version: 6.2
import Foundation
import PackageDescription

// MARK: OpenMP
// Found here because no pkg-config file exists for it: Debian keeps libomp under
// /usr/lib/llvm-*/lib, Homebrew under its own prefix. CIRCADIA_OPENMP=0 builds without threads.

/// The folder that holds libomp, or nil where it is not installed.
func openMPLibraryFolder() -> String? {
    let manager = FileManager.default
    var folders = ["/opt/homebrew/opt/libomp/lib", "/usr/local/opt/libomp/lib"]
    let llvmVersions = (try? manager.contentsOfDirectory(atPath: "/usr/lib")) ?? []
    folders += llvmVersions.filter { $0.hasPrefix("llvm-") }.sorted().reversed()
        .map { "/usr/lib/\($0)/lib" }
    return folders.first { folder in
        ["libomp.so", "libomp.dylib"].contains {
            manager.fileExists(atPath: "\(folder)/\($0)")
        }
    }
}

let wantsOpenMP = ProcessInfo.processInfo.environment["CIRCADIA_OPENMP"] != "0"
let openMPFolder = wantsOpenMP ? openMPLibraryFolder() : nil
if wantsOpenMP && openMPFolder == nil {
    print(
        """
        warning: libomp was not found, so the kernels are built for one thread. \
        Install it ('make setup', or libomp-dev with apt, libomp with brew), or set \
        CIRCADIA_OPENMP=0 to build without threads on purpose.
        """)
}

// -O3 even in debug builds: tests run real models.
// -ffp-contract=off keeps the scalar reference free of fused products the source does not ask for.
var kernelFlags = ["-O3", "-Wall", "-Wextra", "-ffp-contract=off"]
var kernelLinkerSettings: [LinkerSetting] = [
    .linkedLibrary("m", .when(platforms: [.linux])),
    .linkedFramework("Accelerate", .when(platforms: [.macOS])),
]
if let openMPFolder {
    kernelFlags += ["-Xclang", "-fopenmp"]
    kernelLinkerSettings += [
        .unsafeFlags(["-L\(openMPFolder)", "-Xlinker", "-rpath", "-Xlinker", openMPFolder]),
        .linkedLibrary("omp"),
    ]
}

let package = Package(
    name: "circadia",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "circadia", targets: ["circadia"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // Arithmetic
        .target(
            name: "CKernels", path: "CKernels",
            publicHeadersPath: "include",
            cSettings: [.headerSearchPath("."), .unsafeFlags(kernelFlags)],
            linkerSettings: kernelLinkerSettings),
        .target(name: "CircadiaKernels", dependencies: ["CKernels"]),
        .target(name: "ReferenceKernels"),
        // Files and words
        .target(
            name: "CircadiaFiles",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        .target(name: "CircadiaConversation", dependencies: ["CircadiaFiles"]),
        .target(name: "CircadiaTokenizer", dependencies: ["CircadiaFiles"]),
        .target(
            name: "CircadiaTemplates", dependencies: ["CircadiaFiles"]),
        .target(name: "CircadiaFormats", dependencies: ["CircadiaKernels", "CircadiaFiles"]),
        .target(
            name: "CircadiaHub",
            dependencies: [
                "CircadiaFiles", "CircadiaFormats",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .target(name: "CircadiaAnalysis", dependencies: ["CircadiaConversation"]),
        .target(
            name: "CircadiaLog",
            dependencies: ["CircadiaFiles", "CircadiaConversation", "CircadiaAnalysis"]),
        // Models
        .target(
            name: "CircadiaModel",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer",
                "CircadiaTemplates", "CircadiaFormats",
            ]),
        .target(
            name: "CircadiaTraining",
            dependencies: ["CircadiaKernels", "CircadiaFiles", "CircadiaFormats", "CircadiaModel"]),
        // Memory
        .target(
            name: "CircadiaRetrieval",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaConversation", "CircadiaAnalysis",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .target(
            name: "CircadiaEvaluation",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer", "CircadiaModel",
            ]),
        // The night
        .target(
            name: "CircadiaAdapters",
            dependencies: ["CircadiaFiles", "CircadiaConversation", "CircadiaFormats"]),
        .target(
            name: "CircadiaNight",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer",
                "CircadiaFormats", "CircadiaAnalysis", "CircadiaModel", "CircadiaTraining",
                "CircadiaEvaluation", "CircadiaAdapters",
            ]),
        .target(
            name: "CircadiaReport",
            dependencies: [
                "CircadiaConversation", "CircadiaAnalysis", "CircadiaEvaluation",
                "CircadiaAdapters", "CircadiaNight",
            ]),
        // Front ends
        .target(
            name: "CircadiaApp",
            dependencies: [
                "CircadiaKernels", "ReferenceKernels", "CircadiaFiles", "CircadiaConversation",
                "CircadiaTokenizer", "CircadiaFormats", "CircadiaHub", "CircadiaAnalysis",
                "CircadiaLog", "CircadiaModel", "CircadiaRetrieval", "CircadiaEvaluation",
                "CircadiaAdapters", "CircadiaNight",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]),
        .executableTarget(
            name: "circadia",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaConversation",
                "CircadiaTokenizer", "CircadiaFormats", "CircadiaHub", "CircadiaAnalysis",
                "CircadiaLog", "CircadiaModel", "CircadiaTraining", "CircadiaRetrieval",
                "CircadiaEvaluation", "CircadiaAdapters", "CircadiaNight", "CircadiaReport",
                "CircadiaApp",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Benchmarks
        .target(
            name: "PeakArithmetic", path: "Benchmarks/PeakArithmetic",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra"])]),
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "CircadiaKernels", "PeakArithmetic",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Kernels"),
        // Tests
        .target(
            name: "CircadiaTestSupport",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer", "CircadiaFormats",
                "CircadiaHub", "CircadiaModel", "CircadiaRetrieval",
            ],
            path: "Tests/CircadiaTestSupport"),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(name: "ArchitectureTests"),
        .testTarget(
            name: "CircadiaKernelsTests",
            dependencies: ["CircadiaKernels", "ReferenceKernels", "CircadiaTestSupport"]),
        .testTarget(
            name: "CircadiaFilesTests",
            dependencies: ["CircadiaFiles", "CircadiaTestSupport"]),
        .testTarget(
            name: "CircadiaConversationTests",
            dependencies: [
                "CircadiaConversation", "CircadiaAnalysis", "CircadiaLog", "CircadiaRetrieval",
                "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaTokenizerTests",
            dependencies: [
                "CircadiaTokenizer", "CircadiaConversation", "CircadiaTemplates", "CircadiaModel",
                "CircadiaTestSupport",
            ],
            exclude: ["Fixtures", "Tools"]),
        .testTarget(
            name: "CircadiaFormatsTests",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaFormats", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaHubTests",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaHub", "CircadiaLog",
                "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaAnalysisTests",
            dependencies: [
                "CircadiaConversation", "CircadiaAnalysis", "CircadiaLog", "CircadiaTestSupport",
            ],
            exclude: ["Fixtures", "Tools"]),
        .testTarget(
            name: "CircadiaLogTests",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaLog", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaModelTests",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer",
                "CircadiaFormats", "CircadiaModel", "CircadiaTestSupport", "AllocationCounter",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CircadiaTrainingTests",
            dependencies: [
                "CircadiaKernels", "CircadiaFiles", "CircadiaFormats", "CircadiaModel",
                "CircadiaTraining", "CircadiaTestSupport",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CircadiaRetrievalTests",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer", "CircadiaHub",
                "CircadiaLog", "CircadiaModel", "CircadiaRetrieval", "CircadiaEvaluation",
                "CircadiaApp", "CircadiaTestSupport", "CircadiaAnalysis",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CircadiaEvaluationTests",
            dependencies: [
                "CircadiaConversation", "CircadiaTokenizer", "CircadiaFormats", "CircadiaHub",
                "CircadiaAnalysis", "CircadiaLog", "CircadiaModel", "CircadiaRetrieval",
                "CircadiaEvaluation", "CircadiaApp", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaAdaptersTests",
            dependencies: [
                "CircadiaConversation", "CircadiaFormats",
                "CircadiaModel", "CircadiaAdapters", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaReportTests",
            dependencies: [
                "CircadiaConversation", "CircadiaLog", "CircadiaAdapters",
                "CircadiaNight", "CircadiaReport", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "CircadiaNightTests",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaTokenizer",
                "CircadiaAnalysis", "CircadiaModel", "CircadiaTraining", "CircadiaEvaluation",
                "CircadiaAdapters", "CircadiaNight", "CircadiaTestSupport", "CircadiaFormats",
            ]),
        .testTarget(
            name: "CircadiaAppTests",
            dependencies: [
                "CircadiaFiles", "CircadiaConversation", "CircadiaFormats",
                "CircadiaAnalysis", "CircadiaLog", "CircadiaModel", "CircadiaRetrieval",
                "CircadiaAdapters", "CircadiaNight", "CircadiaApp", "CircadiaTestSupport",
            ]),
        .testTarget(
            name: "circadiaTests",
            dependencies: [
                "circadia", "CircadiaFiles", "CircadiaFormats", "CircadiaHub", "CircadiaLog",
                "CircadiaTraining", "CircadiaRetrieval", "CircadiaApp", "CircadiaTestSupport",
            ],
            exclude: ["Fixtures", "Tools"]),
    ],
    swiftLanguageModes: [.v6]
)
