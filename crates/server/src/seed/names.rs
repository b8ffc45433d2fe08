//! Names as they are: common ones, equal ones, and those that programs get
//! wrong.

use rand::{Rng, RngExt, rngs::StdRng, seq::IndexedRandom};

const FAMILY: &[&str] = &[
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "高",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭", "萧", "蔡", "潘", "田", "董", "袁",
    "于", "余", "叶", "蒋", "杜", "苏", "魏", "程", "吕", "丁", "沈", "任", "姚", "卢", "傅", "钟", "姜", "崔", "谭",
    "廖", "范", "汪", "陆", "金", "石", "欧阳", "司马", "上官", "诸葛", "令狐",
];
const GIVEN: &[&str] = &[
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "霞",
    "平", "刚", "桂英", "文", "建国", "志强", "晓明", "子涵", "雨桐", "梓萱", "浩然", "宇轩", "欣怡", "思远", "嘉怡",
    "一诺", "若曦", "家豪", "俊杰", "诗涵", "佳琪", "天佑", "海燕", "春梅", "国庆", "立新", "晨曦", "清扬", "望舒",
    "知行", "以宁",
];

/// Names that break what was only tried with common ones.
pub const HARD: &[&str] = &[
    "王䶮",                       // beyond the old national standard
    "𠮷野亮",                     // outside the basic plane
    "李㛃",                       // extension A
    "赵𬱖",                       // extension E
    "阿卜杜拉·买买提",            // joined by a middle dot
    "古丽娜尔·阿不都热依木·艾山", // twice
    "བསོད་ནམས་རྒྱ་མཚོ",               // Tibetan
    "བཀྲ་ཤིས་ཚེ་རིང",
    "ئابدۇللا ئابدۇرېھىم", // Uyghur, written from the right
    "گۈلنار ئەخمەت",
    "买买提吐尔逊·阿卜杜热合曼·伊敏江·艾合买提·依明", // 25 characters
    "欧阳上官司马诸葛令狐皇甫尉迟公孙慕容轩辕夏侯钟离宇", // 25 characters
    "Anne-Marie O’Neill",
    "Müller, Jörg",
    "Nguyễn Thị Thu Hiền",
    "李 Jackie",
    "김민준",
    "佐藤 さくら",
];

/// `count` names: the hard ones first, then twelve pairs of equal ones, then
/// the rest, which may repeat as names do.
pub fn people(rng: &mut StdRng, count: usize) -> Vec<String> {
    let mut names: Vec<String> = HARD.iter().take(count).map(ToString::to_string).collect();
    let pairs: Vec<String> = (0..12).map(|_| common(rng)).collect();
    for pair in pairs {
        for _ in 0..2 {
            if names.len() < count {
                names.push(pair.clone());
            }
        }
    }
    while names.len() < count {
        names.push(common(rng));
    }
    names
}

fn common(rng: &mut StdRng) -> String {
    let family = FAMILY.choose(rng).copied().unwrap_or("王");
    let given = GIVEN.choose(rng).copied().unwrap_or("伟");
    // Every third has a second character, so that most names differ.
    if rng.random_range(0..3) == 0 {
        let second = GIVEN.choose(rng).copied().unwrap_or("芳");
        if given.chars().count() == 1 && second.chars().count() == 1 {
            return format!("{family}{given}{second}");
        }
    }
    format!("{family}{given}")
}

const GROUPS: &[&str] = &[
    "产品例会",
    "研发一组",
    "研发二组",
    "前端小队",
    "设计评审",
    "市场部",
    "华东销售",
    "华南销售",
    "客户成功",
    "客服值班",
    "财务共享",
    "行政通知",
    "人事与招聘",
    "新员工",
    "项目「鹊桥」",
    "项目「银河」",
    "发布与回滚",
    "线上告警",
    "周报",
    "读书会",
    "羽毛球",
    "午饭拼单",
    "班车群",
    "工会活动",
    "安全演练",
    "采购与仓库",
    "质量月",
    "三号车间",
    "夜班交接",
    "家长开放日",
    "Release Train",
    "On call",
];

pub fn group(rng: &mut StdRng, number: usize) -> String {
    match GROUPS.get(number) {
        Some(name) => (*name).to_owned(),
        None => format!("{} {}", GROUPS.choose(rng).copied().unwrap_or("项目"), number + 1),
    }
}

/// A number that is small most of the time, and sometimes large.
pub fn skewed(rng: &mut impl Rng, below: usize) -> usize {
    let unit: f64 = rng.random();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    let at = (unit * unit * below as f64) as usize;
    at.min(below.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_names_with_every_hard_case() {
        let names = people(&mut StdRng::seed_from_u64(1), 500);
        assert_eq!(names, people(&mut StdRng::seed_from_u64(1), 500));
        assert_ne!(names, people(&mut StdRng::seed_from_u64(2), 500));
        assert_eq!(names.len(), 500);
        assert_eq!(HARD.iter().filter(|n| n.chars().count() == 25).count(), 2);
        let equal = names.windows(2).filter(|w| w[0] == w[1]).count();
        assert!(equal >= 12, "{equal} pairs");
        for name in &names {
            assert_eq!(&kernel::text::name("name", name).unwrap(), name);
        }
    }
}
